import type { Locator } from "playwright-core";
import { expect } from "vitest";
import { words } from "../src/words";
import { test } from "./harness/test";
import type { Visitor } from "./harness/visitor";

const MOST_STOPS = 40;

test("everything can be done without a mouse", async ({ visit }) => {
  const visitor = await visit();
  const { keyboard } = visitor.page;

  await goTo(visitor, visitor.button("Mary"));
  await keyboard.press("Enter");
  await goTo(visitor, visitor.button(words.logIn.submit));
  await keyboard.press("Enter");
  await visitor.heading("General").waitFor();

  await goTo(visitor, visitor.chat("General"));
  await goTo(visitor, visitor.chat("Pablo"), "ArrowDown");
  await keyboard.press("Enter");
  await visitor.heading("Pablo").waitFor();
  await goTo(visitor, visitor.composer);
  await keyboard.type("Written by keyboard");
  await keyboard.press("Enter");
  await visitor.row("Written by keyboard").waitFor();

  await goTo(visitor, visitor.button(words.rooms.newChat));
  await keyboard.press("Enter");
  const dialog = visitor.page.getByRole("dialog");
  await isFocused(visitor.field(words.people.search));
  await keyboard.type("al");
  await goTo(visitor, dialog.getByRole("button", { name: "Alex" }), "ArrowDown");
  await keyboard.press("Enter");
  await visitor.heading("Alex").waitFor();
  await dialog.waitFor({ state: "detached" });

  await goTo(visitor, visitor.button(words.account.logOut));
  await keyboard.press("Enter");
  await visitor.heading(words.logIn.title).waitFor();
});

test("the people dialog keeps the focus inside, and gives it back", async ({ visit }) => {
  const visitor = await visit({ as: "Joe" });
  const { keyboard } = visitor.page;
  const opener = visitor.button(words.rooms.newChat);
  await opener.focus();
  await keyboard.press("Enter");
  const dialog = visitor.page.getByRole("dialog");
  await isFocused(visitor.field(words.people.search));
  for (let stop = 0; stop < 10; stop++) {
    await keyboard.press("Tab");
    // From its end to its beginning the focus goes over a guard, which passes it on.
    const isInside = () => dialog.evaluate((element) => element.contains(document.activeElement));
    await expect.poll(isInside).toBe(true);
  }
  await keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await isFocused(opener);
});

test("the arrow keys go through the messages", async ({ visit }) => {
  const visitor = await visit({ as: "Pablo" });
  const { keyboard } = visitor.page;
  await visitor.say("The newest");
  await expect.poll(() => visitor.hasPending()).toBe(false);
  await goTo(visitor, visitor.row("The newest"), "Shift+Tab");
  await keyboard.press("ArrowUp");
  await isFocused(visitor.row("Wow that's great"));
  await keyboard.press("Home");
  await isFocused(visitor.rows.first());
  await keyboard.press("End");
  await isFocused(visitor.row("The newest"));
});

test("one can skip to the conversation", async ({ visit }) => {
  const visitor = await visit({ as: "Pablo" });
  await visitor.composer.waitFor();
  await visitor.page.locator("body").evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
  const link = visitor.page.getByRole("link", { name: words.skipToContent });
  await goTo(visitor, link);
  await visitor.page.keyboard.press("Enter");
  await isFocused(visitor.page.getByRole("main"));
});

/** Presses the key until the element has the focus. */
async function goTo({ page }: Visitor, target: Locator, key = "Tab"): Promise<void> {
  await target.waitFor();
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    if (await hasFocus(target)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${target} cannot be reached by ${key}.`);
}

async function isFocused(target: Locator): Promise<void> {
  await expect.poll(() => hasFocus(target)).toBe(true);
}

function hasFocus(target: Locator): Promise<boolean> {
  return target.evaluate((element) => element === document.activeElement);
}
