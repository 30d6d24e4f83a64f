import { describe, expect } from "vitest";
import { words } from "../src/words";
import { test } from "./harness/test";
import type { Visitor } from "./harness/visitor";

describe("the theme", () => {
  test("is the system's, and changes with it", async ({ visit }) => {
    const visitor = await visit({ as: "Pablo", context: { colorScheme: "dark" } });
    expect(await brightness(visitor)).toBeLessThan(0.2);
    await visitor.page.emulateMedia({ colorScheme: "light" });
    expect(await brightness(visitor)).toBeGreaterThan(0.8);
  });

  test("is the one that was chosen, also after a reload, in another tab, and logged out", async ({
    visit,
  }) => {
    const { theme } = words;
    const visitor = await visit({ as: "Pablo", context: { colorScheme: "light" } });
    const otherTab = await visitor.newTab("/r/room:1:2");
    await visitor.button(theme.next(theme.system)).click();
    await visitor.button(theme.next(theme.light)).click();
    await visitor.button(theme.next(theme.dark)).waitFor();
    expect(await brightness(visitor)).toBeLessThan(0.2);
    await otherTab.button(theme.next(theme.dark)).waitFor();
    expect(await brightness(otherTab)).toBeLessThan(0.2);

    await visitor.page.reload();
    await visitor.isReady();
    expect(await brightness(visitor)).toBeLessThan(0.2);
    await visitor.logOut();
    await visitor.heading(words.logIn.title).waitFor();
    expect(await brightness(visitor)).toBeLessThan(0.2);
    await visitor.button(theme.next(theme.dark)).click();
    expect(await brightness(visitor)).toBeGreaterThan(0.8);
  });
});

describe("on a phone", () => {
  const context = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

  test("the list and the room are a page each, with a way back", async ({ visit }) => {
    const visitor = await visit({ as: "Mary", context });
    await visitor.chat("General").waitFor();
    expect(await visitor.composer.count()).toBe(0);
    await visitor.openChat("Pablo");
    expect(await visitor.chat("General").isVisible()).toBe(false);
    await fitsTheScreen(visitor);
    await visitor.say("From my phone");
    await visitor.button(words.composer.send).click();
    await visitor.row("From my phone").waitFor();

    await visitor.page.getByRole("link", { name: words.rooms.back }).click();
    await visitor.chat("General").waitFor();
    expect(await visitor.composer.count()).toBe(0);
    await fitsTheScreen(visitor);
    await visitor.page.goBack();
    await visitor.heading("Pablo").waitFor();
    await visitor.page.reload();
    await visitor.heading("Pablo").waitFor();
  });

  test("long words and addresses do not widen the page", async ({ visit }) => {
    const visitor = await visit({ as: "Mary", at: "/r/room:0", context });
    await visitor.composer.fill(`${"W".repeat(300)} https://example.com/${"a".repeat(300)}`);
    await visitor.button(words.composer.send).click();
    await visitor.row("WWW").waitFor();
    await fitsTheScreen(visitor);
  });

  test("what can be touched is large enough", async ({ visit }) => {
    const visitor = await visit({ as: "Mary", at: "/r/room:0", context });
    await visitor.rows.last().waitFor();
    for (const button of await visitor.page.getByRole("button").all()) {
      const { width, height } = (await button.boundingBox()) ?? { width: 24, height: 24 };
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(24);
    }
  });
});

test("on a tablet the list and the room stand side by side", async ({ visit }) => {
  const visitor = await visit({ as: "Joe", context: { viewport: { width: 820, height: 1180 } } });
  await visitor.composer.waitFor();
  const list = await visitor.chat("General").boundingBox();
  const composer = await visitor.composer.boundingBox();
  expect((list?.x ?? 0) + (list?.width ?? 0)).toBeLessThan(composer?.x ?? 0);
  await fitsTheScreen(visitor);
});

/** Of the page's ground, from 0 to 1. */
async function brightness({ page }: Visitor): Promise<number> {
  return page.evaluate(() => {
    const colour = getComputedStyle(document.documentElement).backgroundColor;
    const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
    return (red + green + blue) / (3 * 255);
  });
}

/** Nothing has to be scrolled sideways, and the page itself not at all. */
async function fitsTheScreen({ page }: Visitor): Promise<void> {
  const overflow = await page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return { x: scrollWidth - innerWidth, y: scrollHeight - innerHeight };
  });
  expect(overflow).toEqual({ x: 0, y: 0 });
}
