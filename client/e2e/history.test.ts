import type { Route } from "playwright-core";
import { describe, expect } from "vitest";
import { words } from "../src/words";
import { longHistory, textOf } from "./harness/longHistory";
import {
  distanceFromEnd,
  numbersInView,
  standsStill,
  watchPosition,
  wheel,
} from "./harness/scrolling";
import { testWith } from "./harness/test";
import { Traffic } from "./harness/traffic";
import { operationOf, type Visitor } from "./harness/visitor";

const COUNT = 10_000;
const test = testWith(longHistory(COUNT));
const newest = textOf(COUNT - 1);

describe("a room of 10,000 messages", () => {
  test("opens with one request for its newest page", async ({ visit, member }) => {
    const visitor = await visit({ as: "Pablo", at: "/r/nonsense" });
    const traffic = new Traffic(visitor.page);
    await visitor.goTo("/r/room:0");
    await visitor.row(newest).waitFor();
    await traffic.hasReceived("CaughtUp");
    expect(await distanceFromEnd(visitor)).toBeLessThanOrEqual(1);
    expect(traffic.operations).toEqual(["Page"]);
    expect(traffic.sentBySocket).toEqual(["connection_init", "subscribe"]);

    const joe = await member("Joe");
    for (let number = 1; number <= 20; number++) await joe.say(`Live ${number}.`);
    await visitor.row("Live 20.").waitFor();
    expect(traffic.operations).toEqual(["Page"]);
    expect(traffic.sentBySocket).toEqual(["connection_init", "subscribe"]);
  });

  test("opens with one request from another room too", async ({ visit }) => {
    const visitor = await visit({ as: "Pablo", at: "/r/room:1:2" });
    await visitor.composer.waitFor();
    const traffic = new Traffic(visitor.page);
    await visitor.openChat("General");
    await visitor.rows.last().waitFor();
    expect(traffic.operations).toEqual(["OpenRoom"]);
  });

  test("keeps the message being read in its place while older ones come by scrolling", async ({
    visit,
  }) => {
    const visitor = await visit({ as: "Mary" });
    await visitor.rows.last().waitFor();
    for (let page = 1; page <= 5; page++) {
      const held = await holdNextPage(visitor);
      while (!held.route) await wheel(visitor, -1_000);
      await staysInPlace(visitor, () => held.route?.continue());
    }
  });

  test("keeps it in its place too when the button is used", async ({ visit }) => {
    const visitor = await visit({ as: "Mary", losesNetwork: true });
    await visitor.rows.last().waitFor();
    const held = await holdNextPage(visitor);
    await wheel(visitor, -50_000);
    await held.route?.fulfill({ status: 503, body: "" });
    await visitor.alert(words.failures.unavailable).waitFor();

    const again = await holdNextPage(visitor);
    await visitor.button(words.timeline.loadOlder).click();
    await visitor.button(words.timeline.loadingOlder).waitFor();
    await expect.poll(() => again.route).toBeDefined();
    await staysInPlace(visitor, () => again.route?.continue());
  });

  test("says where it began", async ({ visit }) => {
    const visitor = await visit({ as: "Mary", at: "/r/room:1:3" });
    await visitor.text(words.timeline.empty).waitFor();
    await visitor.say("The very first");
    await visitor.text(words.timeline.beginningPrivate("Pablo")).waitFor();
  });
});

interface Held {
  route?: Route;
}

/** Stops the next request for a page on its way; later ones pass. */
async function holdNextPage({ page }: Visitor): Promise<Held> {
  const held: Held = {};
  await page.unrouteAll();
  await page.route("**/graphql", async (route) => {
    if (held.route || operationOf(route.request()) !== "RoomPage") return route.continue();
    held.route = route;
  });
  return held;
}

/** Whatever `load` brings, the message in view does not move by more than a pixel, at no moment. */
async function staysInPlace(visitor: Visitor, load: () => unknown): Promise<void> {
  await standsStill(visitor);
  const numbers = await numbersInView(visitor);
  const message = `#${numbers[Math.floor(numbers.length / 3)]}`;
  const indexOf = () =>
    visitor.timeline
      .locator("[data-index]", { has: visitor.page.getByText(new RegExp(`^${message} `)) })
      .getAttribute("data-index");
  const index = Number(await indexOf());
  const positions = await watchPosition(visitor, message);
  await load();
  await expect.poll(async () => Number(await indexOf())).toBe(index + 100);
  await standsStill(visitor);

  const [first, ...later] = await positions();
  for (const position of later) expect(Math.abs((position ?? 0) - (first ?? 0))).toBeLessThan(1);
}
