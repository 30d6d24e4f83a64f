import { describe, expect } from "vitest";
import { words } from "../src/words";
import type { Member } from "./harness/api";
import { longHistory, textOf } from "./harness/longHistory";
import {
  distanceFromEnd,
  numbersInView,
  standsStill,
  watchPosition,
  wheel,
} from "./harness/scrolling";
import { testWith } from "./harness/test";
import type { Visitor } from "./harness/visitor";

const COUNT = 300;
const test = testWith(longHistory(COUNT));

describe("new messages", () => {
  test("leave one who has scrolled up in place, and are counted on a button that leads to them", async ({
    visit,
    member,
  }) => {
    const visitor = await visit({ as: "Pablo" });
    await visitor.row(textOf(COUNT - 1)).waitFor();
    await wheel(visitor, -500);
    const numbers = await numbersInView(visitor);
    const positions = await watchPosition(visitor, `#${numbers[Math.floor(numbers.length / 2)]}`);
    const joe = await member("Joe");
    for (const number of [1, 2, 3]) await joe.say(`New ${number}.`);
    const button = visitor.button(words.timeline.newMessages(3));
    await button.waitFor();
    expect(words.timeline.newMessages(3)).toBe("3 new messages");
    await standsStill(visitor);
    const [first, ...later] = await positions();
    expect(first).not.toBeNull();
    for (const position of later) expect(Math.abs((position ?? 0) - (first ?? 0))).toBeLessThan(1);

    await button.click();
    await isAtEnd(visitor, "New 3.");
    expect(await visitor.jumpButton.count()).toBe(0);
  });

  test("are followed by one who is at the end", async ({ visit, member }) => {
    const visitor = await visit({ as: "Pablo" });
    await visitor.rows.last().waitFor();
    const mary = await member("Mary");
    for (const text of ["Follow", "me", `down${" and down".repeat(80)}`, "here."]) {
      await mary.say(`Mary says: ${text}`);
      await isAtEnd(visitor, `Mary says: ${text}`);
    }
    expect(await visitor.jumpButton.count()).toBe(0);
  });

  test("of one's own lead to the end from wherever one is", async ({ visit }) => {
    const visitor = await visit({ as: "Alex" });
    await visitor.rows.last().waitFor();
    await wheel(visitor, -3_000);
    await visitor.say("Where was I?");
    await isAtEnd(visitor, "Where was I?");
  });
});

describe("the live region", () => {
  test("says each new message of others once", async ({ visit, member }) => {
    const visitor = await visit({ as: "Pablo" });
    const joe = await member("Joe");
    const said = await listen(visitor);
    await saysOneByOne(joe, ["First", "Second", "Second", "Third"], said);
    await visitor.say("My own");
    await expect.poll(() => visitor.hasPending()).toBe(false);
    await saysOneByOne(joe, ["Last"], said);
    expect(await said()).toEqual(["First", "Second", "Second", "Third", "Last"].map(byJoe));
  });

  test("says messages that come together by their number", async ({ visit, member }) => {
    const visitor = await visit({ as: "Pablo" });
    const joe = await member("Joe");
    const said = await listen(visitor);
    await Promise.all(Array.from({ length: 10 }, (_, index) => joe.say(`Together ${index}.`)));
    await visitor.row("Together 9.").waitFor();
    const spoken = async () =>
      (await said()).reduce((sum, text) => sum + Number(/^(\d+) new/.exec(text)?.[1] ?? 1), 0);
    await expect.poll(spoken).toBe(10);
    expect((await said()).length).toBeLessThan(10);
  });

  test("says neither history, nor older pages, nor what was missed", async ({
    visit,
    wire,
    member,
  }) => {
    const visitor = await visit({ as: "Alex", wire });
    const joe = await member("Joe");
    const said = await listen(visitor);
    await visitor.rows.last().waitFor();
    await wheel(visitor, -20_000);
    await visitor.openChat("Joe");
    await visitor.openChat("General");

    wire.die();
    await visitor.banner(words.connection.reconnecting).waitFor();
    for (const number of [1, 2, 3]) await joe.say(`Missed ${number}.`);
    wire.mend();
    await visitor.row("Missed 3.").waitFor();
    await saysOneByOne(joe, ["Live again"], said);
    expect(await said()).toEqual([byJoe("Live again")]);
  });
});

const byJoe = (text: string) => words.announce.message("Joe", text);

/** What the polite live region comes to hold, in order. A text that is put in anew is heard anew. */
async function listen({ page }: Visitor): Promise<() => Promise<string[]>> {
  const handle = await page.evaluateHandle(() => {
    const heard: string[] = [];
    const region = document.querySelector("[aria-live=polite]");
    if (region === null) throw new Error("There is no live region.");
    const note = () => region.textContent !== "" && heard.push(region.textContent);
    new MutationObserver(note).observe(region, {
      childList: true,
      characterData: true,
      subtree: true,
    });
    return heard;
  });
  return () => handle.jsonValue();
}

async function saysOneByOne(
  member: Member,
  texts: readonly string[],
  said: () => Promise<string[]>,
): Promise<void> {
  for (const text of texts) {
    const count = (await said()).length;
    await member.say(text);
    await expect.poll(async () => (await said()).length).toBeGreaterThan(count);
  }
}

async function isAtEnd(visitor: Visitor, newest: string): Promise<void> {
  await expect.poll(async () => (await visitor.texts()).at(-1)).toBe(newest);
  await expect.poll(() => distanceFromEnd(visitor)).toBeLessThanOrEqual(1);
}
