import { describe, expect } from "vitest";
import { words } from "../src/words";
import type { Server } from "./harness/server";
import { test } from "./harness/test";

const COUNT = 100;
/** All messages of one of these tests fit on such a screen. */
const tall = { viewport: { width: 900, height: 8_000 } };

const faults: [name: string, room: { id: string; users: [string, string] }, strike: Strike][] = [
  ["the server is killed", { id: "room:1:2", users: ["Pablo", "Joe"] }, killAndStart],
  ["the server is restarted", { id: "room:1:3", users: ["Pablo", "Mary"] }, stopAndStart],
  ["the store is killed", { id: "room:1:4", users: ["Pablo", "Alex"] }, killStore],
];

type Strike = (server: Server) => Promise<void>;

async function killAndStart(server: Server): Promise<void> {
  await server.kill();
  await server.start();
}

async function stopAndStart(server: Server): Promise<void> {
  await server.stop();
  await server.start();
}

async function killStore(server: Server): Promise<void> {
  server.killStore();
}

describe.each(faults)("while %s", (_name, { id, users: [sender, reader] }, strike) => {
  test("all of 100 messages arrive once and in order", async ({ visit, member, server }) => {
    const options = { at: `/r/${id}`, context: tall, losesNetwork: true };
    const here = await visit({ as: sender, ...options });
    const there = await visit({ as: reader, ...options });
    await Promise.all([here.composer.waitFor(), there.composer.waitFor()]);
    const texts = Array.from({ length: COUNT }, (_, index) => `Number ${index + 1}.`);

    let struck: Promise<void> | undefined;
    for (const [index, text] of texts.entries()) {
      if (index === 30) struck = strike(server);
      await here.say(text);
    }
    await struck;

    const isOurs = (text: string) => text.startsWith("Number");
    for (const visitor of [here, there]) {
      await expect.poll(async () => (await visitor.texts()).filter(isOurs)).toEqual(texts);
    }
    await expect.poll(() => here.hasPending()).toBe(false);
    const history = await (await member(sender)).history(id);
    expect(history.filter(isOurs)).toEqual(texts);
    for (const visitor of [here, there]) {
      await visitor.banner(words.connection.reconnecting).waitFor({ state: "hidden" });
      await visitor.page.reload();
      await expect.poll(async () => (await visitor.texts()).filter(isOurs)).toEqual(texts);
    }
  });
});
