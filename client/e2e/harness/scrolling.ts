import type { Visitor } from "./visitor";
import { watch } from "./watching";

/** Turns the mouse wheel over the messages; up is negative. */
export async function wheel(visitor: Visitor, distance: number): Promise<void> {
  await visitor.timeline.hover();
  await visitor.page.mouse.wheel(0, distance);
  await standsStill(visitor);
}

/** Resolves when the messages have not moved for some frames. */
export async function standsStill({ timeline }: Visitor): Promise<void> {
  await timeline.evaluate(async (element) => {
    const frame = () => new Promise(requestAnimationFrame);
    for (let still = 0, before = element.scrollTop; still < 5; before = element.scrollTop) {
      await frame();
      still = element.scrollTop === before ? still + 1 : 0;
    }
  });
}

/** How far the page shows itself from the end of the messages, in pixels. */
export function distanceFromEnd({ timeline }: Visitor): Promise<number> {
  return timeline.evaluate(
    ({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight,
  );
}

/** The numbers of the messages of a long history that are in view, in their order. */
export function numbersInView({ timeline }: Visitor): Promise<number[]> {
  return timeline.evaluate((element) => {
    const frame = element.getBoundingClientRect();
    return [...element.querySelectorAll("article")].flatMap((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      const number = /^#(\d+) /.exec(row.querySelector("p[dir]")?.textContent ?? "")?.[1];
      return number !== undefined && bottom > frame.top && top < frame.bottom ? [+number] : [];
    });
  });
}

/** Where a message was seen from now on, in pixels from the top; null while it was not there. */
export function watchPosition({ page }: Visitor, start: string) {
  return watch(
    page,
    (start) => {
      const row = [...document.querySelectorAll("article")].find((article) =>
        article.querySelector("p[dir]")?.textContent.startsWith(`${start} `),
      );
      return row ? row.getBoundingClientRect().top : null;
    },
    start,
  );
}
