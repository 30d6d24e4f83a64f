import { expect } from "vitest";
import { words } from "../src/words";
import { general } from "./harness/api";
import { test } from "./harness/test";
import { operationOf } from "./harness/visitor";
import { watch } from "./harness/watching";

test("a message is at once on the other's page, with its author and time", async ({ visit }) => {
  const pablo = await visit({ as: "Pablo" });
  const mary = await visit({ as: "Mary" });
  await pablo.say("Lunch at the harbour?");
  await pablo.row("Lunch at the harbour?").waitFor();
  const row = mary.row("Lunch at the harbour?");
  await row.waitFor();

  const sentAt = await row.locator("time").getAttribute("datetime");
  const clock = await row.locator("time").innerText();
  expect(clock).toMatch(/^\d{1,2}:\d{2}(\s[AP]M)?$/);
  expect(await row.getAttribute("aria-label")).toBe(words.timeline.by("Pablo", clock));
  expect(Math.abs(Date.parse(sentAt ?? "") - Date.now())).toBeLessThan(600_000);
  expect(await row.innerText()).toContain("Pablo");
  expect(await mary.chat("General").innerText()).toContain("Pablo: Lunch at the harbour?");
});

test("the author's name stands once over what they say together", async ({ visit }) => {
  const joe = await visit({ as: "Joe" });
  const alex = await visit({ as: "Alex" });
  for (const text of ["First of two", "Second of two"]) await joe.say(text);
  await alex.row("Second of two").waitFor();
  const author = { name: words.timeline.openChatWith("Joe") };
  expect(await alex.row("First of two").getByRole("button", author).count()).toBe(1);
  expect(await alex.row("Second of two").getByRole("button", author).count()).toBe(0);
});

test("a date stands over the first message of each day", async ({ visit }) => {
  const visitor = await visit({ as: "Pablo" });
  await visitor.row("Wow that's great").waitFor();
  const days = visitor.timeline.getByRole("heading");
  expect(await days.last().innerText()).toMatch(/^(Today|Yesterday)$/);
  await visitor.page.clock.setFixedTime(Date.now() + 24 * 3_600_000);
  await visitor.page.reload();
  await visitor.row("Wow that's great").waitFor();
  expect(await days.last().innerText()).toMatch(/^(Yesterday|\w+day)$/);
});

test("a message is in the list exactly once while it is sent, in the same element", async ({
  visit,
}) => {
  const visitor = await visit({ as: "Pablo" });
  await visitor.composer.waitFor();
  let release = () => {};
  const isReleased = new Promise<void>((resolve) => {
    release = resolve;
  });
  await visitor.page.route("**/graphql", async (route) => {
    if (operationOf(route.request()) === "SendMessage") await isReleased;
    await route.continue();
  });
  const rowsSeen = await watch(
    visitor.page,
    (text) =>
      [...document.querySelectorAll("article")]
        .filter((row) => row.textContent.includes(text))
        .map((row) => row.dataset.pending),
    "Once and only once",
  );

  await visitor.say("Once and only once");
  const row = visitor.row("Once and only once");
  await row.waitFor();
  await expect.poll(() => row.getAttribute("aria-label")).toContain(words.timeline.sending);
  const element = await row.elementHandle();
  release();
  await expect.poll(() => row.getAttribute("data-pending")).toBe("false");

  expect(await row.evaluate((now, before) => now === before, element)).toBe(true);
  expect(await rowsSeen()).toEqual([[], ["true"], ["false"]]);
});

test("many messages in a row are each in the list exactly once at every moment", async ({
  visit,
  member,
}) => {
  const tall = { viewport: { width: 1000, height: 2000 } };
  const visitor = await visit({ as: "Mary", at: "/r/room:3:4", context: tall });
  const texts = Array.from({ length: 20 }, (_, index) => `Quick ${index}.`);
  const counts = await watch(
    visitor.page,
    () => {
      const keys = [...document.querySelectorAll("article p[dir]")]
        .map((paragraph) => /Quick \d+\./.exec(paragraph.textContent)?.[0])
        .filter((text) => text !== undefined);
      return { rows: keys.length, different: new Set(keys).size };
    },
    null,
  );
  for (const text of texts) await visitor.say(text);
  await expect.poll(() => visitor.textsBeginning("Quick")).toEqual(texts);
  await expect.poll(() => visitor.hasPending()).toBe(false);

  for (const { rows, different } of await counts()) expect(rows).toBe(different);
  const numbers = (await counts()).map(({ rows }) => rows);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  const history = await (await member("Mary")).history("room:3:4");
  expect(history.filter((text) => text.startsWith("Quick"))).toEqual(texts);
});

test("nobody else's message waits for one that is on its way", async ({ visit, member }) => {
  const visitor = await visit({ as: "Pablo" });
  await visitor.page.route("**/graphql", (route) =>
    // Without an answer, as on a network that swallows everything.
    operationOf(route.request()) === "SendMessage" ? undefined : route.continue(),
  );
  await visitor.say("On its way");
  await visitor.row("On its way").waitFor();
  await (await member("Joe")).say("Here already", general);
  await visitor.row("Here already").waitFor();
  expect((await visitor.texts()).slice(-2)).toEqual(["Here already", "On its way"]);
});
