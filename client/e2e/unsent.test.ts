import type { Page, Route } from "playwright-core";
import { describe, expect } from "vitest";
import { words } from "../src/words";
import { test } from "./harness/test";
import { operationOf, type Visitor } from "./harness/visitor";

const { timeline } = words;

describe("a send that does not get through", () => {
  test("shows as being sent, survives a reload, and goes out once", async ({ visit, member }) => {
    const [visitor, other] = [await visit({ as: "Pablo" }), await visit({ as: "Joe" })];
    await onSend(visitor.page, () => {}); // No answer, for ever.
    await visitor.say("Patience");
    await visitor.row("Patience").waitFor();
    await expect.poll(() => labelOf(visitor, "Patience")).toContain(timeline.sending);
    await visitor.page.reload();
    await visitor.row("Patience").waitFor();
    expect(await visitor.hasPending()).toBe(true);
    expect(await other.textsBeginning("Patience")).toEqual([]);

    await visitor.page.unrouteAll();
    await visitor.page.reload();
    await other.row("Patience").waitFor();
    await isSentOnce([visitor, other], "Patience");
    expect(
      (await (await member("Joe")).history()).filter((text) => text === "Patience"),
    ).toHaveLength(1);
  });

  test("says so, goes out by itself later, and in the order of writing", async ({ visit }) => {
    const visitor = await visit({ as: "Pablo", losesNetwork: true });
    await onSend(visitor.page, (route) => route.abort("connectionrefused"));
    const texts = ["Refused 1.", "Refused 2.", "Refused 3."];
    for (const text of texts) await visitor.say(text);
    const notice = `${timeline.notSentYet} ${words.failures.noAnswer}`;
    await visitor.row("Refused 1.").getByText(notice).waitFor();
    await visitor.alert(notice).waitFor({ state: "attached" });

    await visitor.page.unrouteAll();
    await expect.poll(() => visitor.hasPending()).toBe(false);
    expect(await visitor.textsBeginning("Refused")).toEqual(texts);
    await visitor.page.reload();
    await expect.poll(() => visitor.textsBeginning("Refused")).toEqual(texts);
  });

  test("goes out at once when one says so", async ({ visit }) => {
    const visitor = await visit({ as: "Mary", losesNetwork: true });
    const other = await visit({ as: "Joe" });
    await onSend(visitor.page, (route) => route.abort("connectionrefused"));
    await visitor.page.evaluate(() => {
      Math.random = () => 60; // What waits before it tries again by itself, waits a minute.
    });
    await visitor.say("Once more");
    const retry = visitor.row("Once more").getByRole("button", { name: timeline.retrySend });
    await retry.waitFor();
    await visitor.page.unrouteAll();
    await retry.click();
    await other.row("Once more").waitFor();
    await isSentOnce([visitor, other], "Once more");
  });

  test("whose answer is lost makes no second message", async ({ visit, member }) => {
    const visitor = await visit({ as: "Alex", losesNetwork: true });
    let sends = 0;
    await onSend(visitor.page, async (route) => {
      sends++;
      const response = await route.fetch();
      if (sends === 1) await route.abort("connectionreset");
      else await route.fulfill({ response });
    });
    await visitor.say("Did you get this?");
    await expect.poll(() => visitor.hasPending()).toBe(false);
    await isSentOnce([visitor], "Did you get this?");
    const history = await (await member("Alex")).history();
    expect(history.filter((text) => text === "Did you get this?")).toHaveLength(1);
  });

  test("is not lost when the page is reloaded at that very moment", async ({ visit }) => {
    const visitor = await visit({ as: "Alex", at: "/r/room:3:4" });
    await onSend(visitor.page, () => {});
    for (let time = 1; time <= 10; time++) {
      const text = `In a hurry ${time}.`;
      await visitor.say(text);
      await visitor.page.reload();
      await visitor.composer.waitFor();
      const isThere = async () =>
        (await visitor.composer.inputValue()) === text || (await visitor.texts()).includes(text);
      await expect.poll(isThere).toBe(true);
    }
  });

  test("is counted in the list of chats", async ({ visit }) => {
    const visitor = await visit({ as: "Mary", at: "/r/room:1:3" });
    await onSend(visitor.page, () => {});
    await visitor.say("One");
    await visitor.say("Two");
    await visitor.openChat("General");
    expect(await visitor.chat("Pablo").innerText()).toContain(words.rooms.waiting(2));
  });
});

describe("a message that the server does not accept", () => {
  test("says why, and can be sent again", async ({ visit }) => {
    const visitor = await visit({ as: "Joe" });
    await onSend(visitor.page, reject);
    await visitor.say("Not like this");
    const row = visitor.row("Not like this");
    await row.getByText(`${timeline.notSent} This is not acceptable.`).waitFor();
    await visitor.page.reload();
    await row.getByText(`${timeline.notSent} This is not acceptable.`).waitFor();

    await visitor.page.unrouteAll();
    await row.getByRole("button", { name: timeline.retrySend }).click();
    await expect.poll(() => visitor.hasPending()).toBe(false);
    await isSentOnce([visitor], "Not like this");
  });

  test("can be discarded, and holds up none that was written after it", async ({
    visit,
    member,
  }) => {
    const visitor = await visit({ as: "Joe" });
    const otherTab = await visitor.newTab("/r/room:0");
    await onSend(visitor.page, reject);
    await onSend(otherTab.page, reject);
    await visitor.say("Better not");
    const row = visitor.row("Better not");
    await otherTab.row("Better not").waitFor();
    await row.getByRole("button", { name: timeline.discard }).waitFor();
    await Promise.all([visitor.page.unrouteAll(), otherTab.page.unrouteAll()]);
    await visitor.say("Rather this");
    await expect.poll(() => labelOf(visitor, "Rather this")).toContain("Joe");

    await row.getByRole("button", { name: timeline.discard }).click();
    await row.waitFor({ state: "detached" });
    await otherTab.row("Better not").waitFor({ state: "detached" });
    await visitor.page.reload();
    await visitor.row("Rather this").waitFor();
    expect(await row.count()).toBe(0);
    expect(await (await member("Joe")).history()).not.toContain("Better not");
  });
});

async function onSend(page: Page, handle: (route: Route) => unknown): Promise<void> {
  await page.route("**/graphql", (route) =>
    operationOf(route.request()) === "SendMessage" ? handle(route) : route.continue(),
  );
}

function reject(route: Route): Promise<void> {
  const extensions = { code: "BAD_USER_INPUT", field: "input.text" };
  return route.fulfill({ json: { errors: [{ message: "This is not acceptable.", extensions }] } });
}

function labelOf(visitor: Visitor, text: string): Promise<string | null> {
  return visitor.row(text).getAttribute("aria-label");
}

async function isSentOnce(visitors: readonly Visitor[], text: string): Promise<void> {
  for (const visitor of visitors) {
    await visitor.row(text).waitFor();
    await expect.poll(() => visitor.hasPending()).toBe(false);
    expect(await visitor.textsBeginning(text)).toEqual([text]);
  }
}
