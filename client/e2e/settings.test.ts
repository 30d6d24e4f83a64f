import { expect } from "vitest";
import { words } from "../src/words";
import { Member } from "./harness/api";
import { test } from "./harness/test";
import type { Visitor } from "./harness/visitor";

const { bots, sessions } = words;

test("a bot gets a room and tokens, which are good until they are replaced or revoked", async ({
  visit,
}) => {
  const owner = await visit({ as: "Pablo" });
  await owner.page.getByRole("link", { name: words.account.settings }).click();
  await owner.heading(words.settings.title).waitFor();
  await expect.poll(() => owner.page.title()).toContain(words.settings.title);

  await owner.button(bots.create).click();
  await owner.field(bots.username).fill("Robot");
  await owner.field(bots.username).press("Enter");
  const first = await takeToken(owner);
  await expect(first.say("Too early")).rejects.toThrow("NOT_FOUND");
  await owner.button(bots.of(bots.add, "Robot")).click();
  await owner.button("General").click();
  await owner.button(bots.remove("Robot", "General")).waitFor();
  await first.say("I am here");
  await expect.poll(() => owner.chat("General").innerText()).toContain("Robot (bot): I am here");

  await owner.button(bots.of(bots.rotate, "Robot")).click();
  await owner.button(bots.rotateSubmit).click();
  const second = await takeToken(owner);
  await expect(first.say("Too late")).rejects.toThrow("UNAUTHENTICATED");
  await second.say("With another token");
  await owner.button(bots.of(bots.revoke, "Robot")).click();
  await owner.button(bots.revoke).click();
  await owner.text(bots.tokenless).waitFor();
  await expect(second.say("Too late")).rejects.toThrow("UNAUTHENTICATED");
});

test("a bot is deleted without a mouse", async ({ visit, member }) => {
  await (await member("Joe")).createBot("Goner");
  const owner = await visit({ as: "Joe", at: "/settings" });
  const { keyboard } = owner.page;
  await owner.button(bots.of(bots.delete, "Goner")).focus();
  await keyboard.press("Enter");
  // What can be undone has the focus.
  await expect.poll(() => focused(owner)).toBe(words.cancel);
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  await owner.text(bots.none).waitFor();
  await expect.poll(() => focused(owner)).toBe(bots.title);
});

test("a click beside a token does not lose it", async ({ visit }) => {
  const owner = await visit({ as: "Alex", at: "/settings" });
  await owner.button(bots.create).click();
  await owner.field(bots.username).fill("Precious");
  await owner.button(bots.createSubmit).click();
  await owner.field(bots.tokenLabel).waitFor();
  await owner.page.mouse.click(5, 5);
  await takeToken(owner);
  await expect.poll(() => focused(owner)).toBe(bots.create);
});

test("sessions that are ended are logged out at once", async ({ visit }) => {
  const first = await visit({ as: "Mary" });
  const second = await visit({ as: "Mary", at: "/settings" });
  const others = second.page
    .getByRole("region", { name: sessions.title })
    .getByRole("button", { name: /Chrome/ });
  await others.click();
  await first.text(words.logIn.ended).waitFor();
  await others.waitFor({ state: "detached" });

  const third = await visit({ as: "Mary" });
  await second.page.reload();
  await second.button(sessions.endOthers).click();
  await second.page.getByRole("dialog").getByRole("button", { name: sessions.endOthers }).click();
  await third.text(words.logIn.ended).waitFor();
  await second.button(sessions.endOthers).waitFor({ state: "detached" });
  expect(await second.account.innerText()).toContain("Mary");
});

test("what cannot be loaded without a network says so, and comes when that is back", async ({
  visit,
}) => {
  const visitor = await visit({ as: "Pablo", at: "/r/room:0", losesNetwork: true });
  await visitor.composer.waitFor();
  await visitor.context.setOffline(true);
  await visitor.button(words.rooms.newChat).click();
  await visitor.alert(words.failures.noAnswer).waitFor();
  await visitor.page.getByRole("link", { name: words.account.settings }).click();
  await visitor.heading(words.settings.failed).waitFor();

  await visitor.context.setOffline(false);
  await visitor.button(words.settings.retry).click();
  await visitor.heading(bots.title).waitFor();
  await visitor.button(words.rooms.newChat).click();
  await visitor.field(words.people.search).waitFor();
  // Its styles have come as well.
  const dialog = visitor.page.getByRole("dialog");
  expect(await dialog.evaluate((popup) => getComputedStyle(popup).position)).toBe("fixed");
});

async function takeToken(owner: Visitor): Promise<Member> {
  const token = await owner.field(bots.tokenLabel).inputValue();
  await owner.button(bots.done).click();
  return Member.withToken(owner.url, token);
}

function focused({ page }: Visitor): Promise<string | null | undefined> {
  return page.evaluate(() => document.activeElement?.textContent);
}
