import { describe, expect } from "vitest";
import { words } from "../src/words";
import { test } from "./harness/test";
import type { Visitor } from "./harness/visitor";

const path = ({ page }: Visitor) => new URL(page.url()).pathname;

describe("a private chat", () => {
  test("opens by clicking a person, and comes to the other's page", async ({ visit }) => {
    const [greta, hugo] = await Promise.all([visit(), visit()]);
    await greta.register("Greta");
    await hugo.register("Hugo");
    await hugo.composer.waitFor();
    await greta.composer.waitFor();
    expect(await hugo.chat("Greta").count()).toBe(0);

    await greta.choosePerson("Hugo");
    await greta.heading("Hugo").waitFor();
    expect(path(greta)).toMatch(/^\/r\/room:\d+:\d+$/);
    await greta.text(words.timeline.empty).waitFor();
    await greta.say("Just between us");

    await expect.poll(() => hugo.chat("Greta").innerText()).toContain("Just between us");
    expect(await hugo.chat("Greta").innerText()).toContain(words.rooms.unread(1));
    await hugo.openChat("Greta");
    await hugo.row("Just between us").waitFor();
    await expect.poll(() => hugo.chat("Greta").innerText()).not.toContain("unread");
  });

  test("opens by clicking the author of a message", async ({ visit, member }) => {
    const reader = await visit({ as: "Alex" });
    await (await member("Joe")).say("Write to me");
    await reader.row("Write to me").waitFor();
    await reader.button(words.timeline.openChatWith("Joe")).last().click();
    await reader.heading("Joe").waitFor();
    expect(path(reader)).toBe("/r/room:2:4");
  });

  test("is neither in a third user's list nor at its address", async ({ visit, member }) => {
    await (await member("Pablo")).say("Confidential", "room:1:2");
    const mary = await visit({ as: "Mary" });
    await mary.chat("General").waitFor();
    expect(await mary.page.locator('a[href$="room:1:2"]').count()).toBe(0);
    await (await member("Pablo")).say("Confidential too", "room:1:2");
    await (await member("Pablo")).say("For everybody");
    await mary.row("For everybody").waitFor();
    expect(await mary.page.locator('a[href$="room:1:2"]').count()).toBe(0);

    for (const address of ["/r/room:1:2", "/r/room:77", "/r/nonsense"]) {
      await mary.goTo(address);
      await mary.heading(words.notFound.title).waitFor();
      expect(await mary.page.content()).not.toContain("Confidential");
    }
    await mary.page.getByRole("link", { name: words.notFound.toGeneral }).click();
    await mary.heading("General").waitFor();
  });
});

describe("the address", () => {
  test("names the room: back, forward and reload", async ({ visit }) => {
    const visitor = await visit({ as: "Pablo" });
    await visitor.heading("General").waitFor();
    await visitor.openChat("Joe");
    await visitor.openChat("Mary");
    expect(path(visitor)).toBe("/r/room:1:3");
    await visitor.page.goBack();
    await visitor.heading("Joe").waitFor();
    await visitor.page.goBack();
    await visitor.heading("General").waitFor();
    await visitor.page.goForward();
    await visitor.heading("Joe").waitFor();
    await visitor.page.reload();
    await visitor.heading("Joe").waitFor();
    expect(path(visitor)).toBe("/r/room:1:2");
    await visitor.page.goForward();
    await visitor.heading("Mary").waitFor();
    expect(await visitor.page.title()).toContain("Mary");
  });
});

describe("the list of chats", () => {
  test("shows who is online, and who comes and goes", async ({ visit }) => {
    const visitor = await visit({ as: "Pablo" });
    const entry = visitor.chat("Alex");
    await expect.poll(() => entry.innerText()).toContain(words.presence.offline);
    const alex = await visit({ as: "Alex" });
    await expect.poll(() => entry.innerText()).toContain(words.presence.online);
    await visitor.text(words.presence.cameOnline("Alex")).waitFor();
    await alex.logOut();
    await expect.poll(() => entry.innerText()).toContain(words.presence.offline);
    await visitor.text(words.presence.wentOffline("Alex")).waitFor();
  });

  test("has General first, then the chat where something was said last", async ({
    visit,
    member,
  }) => {
    const visitor = await visit({ as: "Pablo" });
    const alex = await member("Alex");
    await alex.say("Alex is last", "room:1:4");
    await expect.poll(() => visitor.chat("Alex").innerText()).toContain("Alex is last");
    const entries = visitor.page.getByRole("navigation").getByRole("link");
    expect(await entries.nth(0).innerText()).toContain("General");
    expect(await entries.nth(1).innerText()).toContain("Alex is last");
    await (await member("Joe")).say("Joe is last", "room:1:2");
    await expect.poll(() => entries.nth(1).innerText()).toContain("Joe is last");
    expect(await visitor.chat("Joe").locator("time").innerText()).toMatch(
      /^\d{1,2}:\d{2}(\s[AP]M)?$/,
    );
  });
});
