import { expect } from "vitest";
import { longHistory, textOf } from "./harness/longHistory";
import { distanceFromEnd, numbersInView, wheel } from "./harness/scrolling";
import { testWith } from "./harness/test";

const COUNT = 100_000;
const test = testWith(longHistory(COUNT));
const newest = textOf(COUNT - 1);

/** More than the page keeps in memory at once. */
const FAR = 2_500;
/** So many rows fit neither on the screen nor on two of them. */
const MOST_ROWS = 100;

test("a room of 100,000 messages keeps few rows however far one scrolls up, and leads back", async ({
  visit,
  member,
}) => {
  const visitor = await visit({ as: "Pablo" });
  await visitor.row(newest).waitFor();
  for (let reading = COUNT; reading > COUNT - FAR; ) {
    await wheel(visitor, -4_000);
    expect(await visitor.timeline.locator("[data-index]").count()).toBeLessThan(MOST_ROWS);
    const numbers = await numbersInView(visitor);
    expectNoHole(numbers);
    reading = Math.min(...numbers);
  }

  await (await member("Joe")).say("Said in the present.");
  await visitor.jumpButton.click();
  await visitor.row("Said in the present.").waitFor();
  await expect.poll(() => distanceFromEnd(visitor)).toBeLessThanOrEqual(1);
  expect((await visitor.texts()).slice(-2)).toEqual([newest, "Said in the present."]);
  expectNoHole(await numbersInView(visitor));
  expect(await visitor.jumpButton.count()).toBe(0);
});

test("one can scroll down again to the present, without a hole", async ({ visit }) => {
  const visitor = await visit({ as: "Mary", context: { viewport: { width: 1000, height: 2000 } } });
  await visitor.rows.last().waitFor();
  while (Math.min(...(await numbersInView(visitor))) > COUNT - FAR) await wheel(visitor, -10_000);
  const seen = new Set(await numbersInView(visitor));
  while ((await visitor.jumpButton.count()) > 0) {
    await wheel(visitor, 1_700);
    for (const number of await numbersInView(visitor)) seen.add(number);
  }
  expectNoHole([...seen].sort((a, b) => a - b));
  expect(seen).toContain(COUNT - 1);
});

function expectNoHole(numbers: readonly number[]): void {
  const [first = 0] = numbers;
  expect(numbers).toEqual(numbers.map((_, index) => first + index));
}
