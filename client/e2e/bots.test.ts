import { expect } from "vitest";
import { words } from "../src/words";
import { test } from "./harness/test";

test("a bot is marked wherever its name stands", async ({ visit, member }) => {
  const bot = await (await member("Pablo")).createBot("Robot");
  const mary = await visit({ as: "Mary" });
  await bot.say("Beep");
  await mary.row("Beep").waitFor();
  expect(await mary.row("Beep").innerText()).toContain(words.bot.mark);
  await expect.poll(() => mary.chat("General").innerText()).toContain("Robot (bot): Beep");

  await mary.choosePerson(`Robot ${words.bot.mark}`);
  await mary.heading(`Robot ${words.bot.mark}`).waitFor();
  await expect.poll(() => mary.chat("Robot").innerText()).toContain(words.bot.mark);
});
