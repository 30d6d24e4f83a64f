import type { JSHandle, Page } from "playwright-core";

/**
 * Looks at a page at each change of its document and at each frame.
 *
 * @param look runs in the page, so it can use nothing of here but its argument.
 * @returns what was seen so far: values that differ from the one before.
 */
export async function watch<Seen, Argument>(
  page: Page,
  look: (argument: Argument) => Seen,
  argument: Argument,
): Promise<() => Promise<Seen[]>> {
  const expression = `(${begin})(${look}, ${JSON.stringify(argument)})`;
  const seen: JSHandle<Seen[]> = await page.evaluateHandle(expression);
  return () => seen.jsonValue();
}

function begin<Seen, Argument>(look: (argument: Argument) => Seen, argument: Argument): Seen[] {
  const seen: Seen[] = [];
  const note = () => {
    const value = look(argument);
    if (JSON.stringify(value) !== JSON.stringify(seen.at(-1))) seen.push(value);
  };
  const eachFrame = () => {
    note();
    requestAnimationFrame(eachFrame);
  };
  const everything = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(note).observe(document, everything);
  eachFrame();
  return seen;
}
