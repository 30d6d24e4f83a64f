import { describe, expect } from "vitest";
import { words } from "../src/words";
import { test } from "./harness/test";

describe("a draft", () => {
  test("survives a reload, and belongs to its room", async ({ visit }) => {
    const visitor = await visit({ as: "Pablo" });
    await visitor.composer.fill("Not finished");
    await visitor.openChat("Joe");
    expect(await visitor.composer.inputValue()).toBe("");
    await visitor.composer.fill("For Joe only");
    await visitor.page.reload();
    await expect.poll(() => visitor.composer.inputValue()).toBe("For Joe only");
    await visitor.openChat("General");
    expect(await visitor.composer.inputValue()).toBe("Not finished");
  });

  test("belongs to its user", async ({ visit }) => {
    const visitor = await visit({ as: "Pablo" });
    await visitor.composer.fill("Pablo's own");
    await visitor.logOut();
    await visitor.logIn("Mary");
    await visitor.composer.waitFor();
    expect(await visitor.composer.inputValue()).toBe("");
  });

  test("is gone when it is sent", async ({ visit }) => {
    const visitor = await visit({ as: "Mary" });
    await visitor.say("Finished");
    expect(await visitor.composer.inputValue()).toBe("");
    await expect.poll(() => visitor.hasPending()).toBe(false);
    await visitor.page.reload();
    await visitor.row("Finished").waitFor();
    expect(await visitor.composer.inputValue()).toBe("");
  });
});

describe("the keys", () => {
  test("Enter sends, Shift+Enter makes a line", async ({ visit }) => {
    const visitor = await visit({ as: "Joe" });
    await visitor.composer.pressSequentially("First line");
    await visitor.composer.press("Shift+Enter");
    await visitor.composer.pressSequentially("second line");
    expect(await visitor.composer.inputValue()).toBe("First line\nsecond line");
    await visitor.composer.press("Enter");
    await visitor.row("second line").waitFor();
    expect(await visitor.textsBeginning("First")).toEqual(["First line\nsecond line"]);
    const { height } = (await visitor.row("second line").boundingBox()) ?? { height: 0 };
    expect(height).toBeGreaterThan(40);
  });

  test("Enter that ends the composition of an input method does not send", async ({ visit }) => {
    const visitor = await visit({ as: "Joe" });
    await visitor.composer.focus();
    const keyboard = await visitor.context.newCDPSession(visitor.page);
    await keyboard.send("Input.imeSetComposition", {
      text: "にほん",
      selectionStart: 3,
      selectionEnd: 3,
    });
    expect(await visitor.composer.inputValue()).toBe("にほん");
    // An input method takes the key for itself: the page hears of it, and no more.
    const enter = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 };
    await keyboard.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...enter });
    await keyboard.send("Input.dispatchKeyEvent", { type: "keyUp", ...enter });
    await keyboard.send("Input.insertText", { text: "日本" });
    expect(await visitor.composer.inputValue()).toBe("日本");
    await visitor.page.keyboard.press("Enter");
    await visitor.row("日本").waitFor();
    expect(await visitor.composer.inputValue()).toBe("");
    expect((await visitor.texts()).filter((text) => /[にほん日本]/.test(text))).toEqual(["日本"]);
  });

  test("nothing but blanks is not sent", async ({ visit }) => {
    const visitor = await visit({ as: "Joe" });
    await visitor.rows.last().waitFor();
    const before = await visitor.texts();
    await visitor.say("   ");
    // By force, because it is marked as disabled.
    await visitor.button(words.composer.send).click({ force: true });
    await visitor.say("Something");
    await visitor.row("Something").waitFor();
    expect(await visitor.texts()).toEqual([...before, "Something"]);
  });

  test("4,000 characters are sent, 4,001 are not, and one is told", async ({ visit }) => {
    const visitor = await visit({ as: "Alex" });
    await visitor.say("😀".repeat(4_001));
    await visitor.text(words.composer.over(1)).waitFor();
    expect(await visitor.button(words.composer.send).getAttribute("aria-disabled")).toBe("true");
    expect(await visitor.textsBeginning("😀")).toEqual([]);
    await visitor.say("😀".repeat(4_000));
    await expect.poll(() => visitor.textsBeginning("😀")).toEqual(["😀".repeat(4_000)]);
    await expect.poll(() => visitor.hasPending()).toBe(false);
  });
});

describe("what is written", () => {
  test("is shown as it was typed, whatever it holds", async ({ visit }) => {
    const [visitor, other] = [await visit({ as: "Alex" }), await visit({ as: "Mary" })];
    const texts = [
      "<b>bold</b> <img src=x onerror=alert(1)> &amp; &lt;",
      "👩‍👩‍👧‍👦 family, 🏳️‍🌈 flag, e\u0301 and zalgo z̵̢̛",
      "مرحبا بالعالم, hello שלום",
      "\u202Ereversed\u202C, \u200Bzero\u200B width",
      "{{constructor.constructor('alert(1)')()}} %00",
      "a    b\n\n\n\tindented",
    ];
    for (const text of texts) await visitor.say(text);
    for (const reader of [visitor, other]) {
      await expect.poll(async () => (await reader.texts()).slice(-texts.length)).toEqual(texts);
      expect(await reader.timeline.locator("b, img").count()).toBe(0);
    }
    await other.page.reload();
    await expect.poll(async () => (await other.texts()).slice(-texts.length)).toEqual(texts);
    const arabic = other.row("مرحبا").locator("p[dir]");
    expect(await arabic.evaluate((text) => getComputedStyle(text).direction)).toBe("rtl");
  });

  test("makes links of addresses that are safe, and of no others", async ({ visit }) => {
    const visitor = await visit({ as: "Joe" });
    await visitor.say("See https://example.com/a?b=1#c, or www.example.org.");
    await visitor.say("javascript:alert(1) data:text/html,hi vbscript:x file:///etc/passwd");
    const links = visitor.row("See https").getByRole("link");
    await links.first().waitFor();
    expect(await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")))).toEqual([
      "https://example.com/a?b=1#c",
      "http://www.example.org/",
    ]);
    for (const link of await links.all()) {
      expect(await link.getAttribute("target")).toBe("_blank");
      expect(await link.getAttribute("rel")).toContain("noopener");
    }
    await visitor.row("javascript:").waitFor();
    expect(await visitor.row("javascript:").getByRole("link").count()).toBe(0);
  });
});
