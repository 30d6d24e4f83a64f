import { describe, expect } from "vitest";
import { words } from "../src/words";
import { test } from "./harness/test";
import { watch } from "./harness/watching";

/** All messages of these tests fit on such a screen. */
const tall = { viewport: { width: 900, height: 6_000 } };
const texts = (start: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${start} ${index}.`);

describe("a device without network", () => {
  test("for 10 seconds gets all that was sent meanwhile, and sends what was written", async ({
    visit,
    wire,
    member,
  }) => {
    const room = { at: "/r/room:1:2", context: tall };
    const away = await visit({ as: "Pablo", wire, ...room });
    const here = await visit({ as: "Joe", ...room });
    await Promise.all([away.composer.waitFor(), here.composer.waitFor()]);

    wire.die();
    await away.context.setOffline(true);
    const back = Date.now() + 10_000;
    await away.banner(words.connection.offline).waitFor();
    const [sent, written] = [texts("Meanwhile", 50), texts("In the tunnel", 5)];
    for (const text of sent) await here.say(text);
    for (const text of written) await away.say(text);
    expect(await away.textsBeginning("In the tunnel")).toEqual(written);
    await away.page.waitForTimeout(Math.max(0, back - Date.now()));
    expect(await away.textsBeginning("Meanwhile")).toEqual([]);
    expect(await here.textsBeginning("In the tunnel")).toEqual([]);

    wire.mend();
    await away.context.setOffline(false);
    const isOurs = (text: string) => /^(Meanwhile|In the tunnel)/.test(text);
    const all = [...sent, ...written];
    for (const visitor of [away, here]) {
      await expect.poll(async () => (await visitor.texts()).filter(isOurs)).toEqual(all);
    }
    await expect.poll(() => away.hasPending()).toBe(false);
    await away.banner(words.connection.offline).waitFor({ state: "hidden" });
    const history = await (await member("Joe")).history("room:1:2");
    expect(history.filter(isOurs)).toEqual(all);
  });

  test("that is offline at the time of a reload keeps what was written", async ({
    visit,
    wire,
  }) => {
    const visitor = await visit({ as: "Mary", wire });
    await visitor.composer.waitFor();
    await visitor.context.setOffline(true);
    wire.die();
    await visitor.say("Written before the reload");
    await visitor.row("Written before the reload").waitFor();
    await visitor.context.setOffline(false);
    wire.mend();
    await visitor.page.reload();
    await expect
      .poll(() => visitor.textsBeginning("Written"))
      .toEqual(["Written before the reload"]);
    await expect.poll(() => visitor.hasPending()).toBe(false);
    expect(await visitor.textsBeginning("Written")).toEqual(["Written before the reload"]);
  });
});

describe("a server that is away", () => {
  test("is worth a banner after 5 seconds, which goes when it is back", async ({
    visit,
    server,
  }) => {
    const visitor = await visit({ as: "Alex", losesNetwork: true });
    await visitor.row("Wow that's great").waitFor();
    const lost = Date.now();
    await server.kill();
    await visitor.banner(words.connection.reconnecting).waitFor();
    expect(Date.now() - lost).toBeGreaterThanOrEqual(5_000);
    await server.start();
    await visitor.banner(words.connection.reconnecting).waitFor({ state: "hidden" });
  });

  test("for a moment is not worth a word", async ({ visit, wire, member }) => {
    const visitor = await visit({ as: "Alex", wire });
    await visitor.row("Wow that's great").waitFor();
    const notices = await watch(
      visitor.page,
      () => document.querySelector("[role=status]")?.textContent,
      null,
    );
    wire.cut();
    await (await member("Joe")).say("While you were away");
    await visitor.row("While you were away").waitFor();
    expect(await notices()).toEqual([""]);
  });

  test("is asked again at once when one says so", async ({ visit, wire }) => {
    const visitor = await visit({ as: "Alex", wire });
    await visitor.row("Wow that's great").waitFor();
    await visitor.triesOnlyWhenTold();
    wire.die();
    await visitor.banner(words.connection.reconnecting).waitFor();
    wire.mend();
    await visitor.button(words.connection.retryNow).click();
    await visitor.banner(words.connection.reconnecting).waitFor({ state: "hidden" });
  });
});
