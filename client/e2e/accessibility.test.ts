import axe from "axe-core";
import { describe, expect } from "vitest";
import { words } from "../src/words";
import { test } from "./harness/test";
import type { Visitor } from "./harness/visitor";

const themes = ["light", "dark"] as const;
const screens = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
};
const looks = themes.flatMap((colorScheme) =>
  Object.entries(screens).map(([name, viewport]) => ({ name, colorScheme, viewport })),
);

describe.each(looks)("no violations in the $colorScheme theme on a $name", (look) => {
  const { colorScheme, viewport } = look;
  const context = { colorScheme, viewport, reducedMotion: "reduce" } as const;

  test("at the log-in", async ({ visit }) => {
    const visitor = await visit({ context });
    await hasNoViolations(visitor);
    await visitor.logIn("Pablo", "not the password");
    await visitor.alert(words.failures.wrongCredentials).waitFor();
    await hasNoViolations(visitor);
  });

  test("at the registration", async ({ visit }) => {
    const visitor = await visit({ context });
    await visitor.button(words.logIn.toRegister).click();
    await hasNoViolations(visitor);
    await visitor.button(words.register.submit).click();
    await visitor.alert(words.fields.usernameMissing).waitFor();
    await hasNoViolations(visitor);
  });

  test("in a chat", async ({ visit }) => {
    const other = await visit({ as: "Joe" });
    const visitor = await visit({ as: "Pablo", at: "/r/room:0", context, losesNetwork: true });
    const text = `See https://example.com, in ${colorScheme}, on a ${look.name}`;
    await other.say(text);
    await visitor.row(`, in ${colorScheme}, on a ${look.name}`).waitFor();
    await hasNoViolations(visitor);
    await visitor.page.route("**/graphql", (route) => route.abort("connectionrefused"));
    await visitor.say("This one does not get through");
    await visitor.button(words.timeline.retrySend).last().waitFor();
    await hasNoViolations(visitor);
    await visitor.page.unrouteAll();
    await visitor.goTo("/");
    await visitor.isReady();
    await hasNoViolations(visitor);
  });

  test("without network", async ({ visit }) => {
    const visitor = await visit({ as: "Mary", at: "/r/room:0", context, losesNetwork: true });
    await visitor.rows.last().waitFor();
    await visitor.context.setOffline(true);
    await visitor.banner(words.connection.offline).waitFor();
    await hasNoViolations(visitor);
  });

  test("in the dialog of people", async ({ visit }) => {
    const visitor = await visit({ as: "Alex", context });
    await visitor.button(words.rooms.newChat).click();
    const people = visitor.page.getByRole("dialog").getByRole("listitem");
    await people.first().waitFor();
    await hasNoViolations(visitor);
  });

  test("in the settings, and their dialogs", async ({ visit, member }) => {
    await (await member("Alex")).createBot(`Bot of the ${colorScheme} ${look.name}`);
    const visitor = await visit({ as: "Alex", at: "/settings", context });
    await visitor.button(words.bots.create).waitFor();
    await hasNoViolations(visitor);
    await visitor.button(words.sessions.endOthers).click();
    await visitor.page.getByRole("dialog").waitFor();
    await hasNoViolations(visitor);
    await visitor.button(words.cancel).click();
    await visitor.button(words.bots.create).click();
    await visitor.button(words.bots.createSubmit).click();
    await visitor.alert(words.fields.usernameMissing).waitFor();
    await hasNoViolations(visitor);
    await visitor.field(words.bots.username).fill(`Token of the ${colorScheme} ${look.name}`);
    await visitor.button(words.bots.createSubmit).click();
    await visitor.field(words.bots.tokenLabel).waitFor();
    await hasNoViolations(visitor);
  });

  test("where there is no such chat", async ({ visit }) => {
    const visitor = await visit({ as: "Joe", at: "/r/room:1:3", context });
    await visitor.heading(words.notFound.title).waitFor();
    await hasNoViolations(visitor);
  });
});

async function hasNoViolations({ page }: Visitor): Promise<void> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const results = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return results.violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`),
    }));
  });
  expect(violations).toEqual([]);
}
