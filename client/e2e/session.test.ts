import type { Locator } from "playwright-core";
import { describe, expect } from "vitest";
import { words } from "../src/words";
import { test } from "./harness/test";

const { failures } = words;

describe("logging in", () => {
  test("as a demo user, by picking one", async ({ visit }) => {
    const visitor = await visit();
    await visitor.button("Mary").click();
    await visitor.button(words.logIn.submit).click();
    await visitor.heading("General").waitFor();
    expect(new URL(visitor.page.url()).pathname).toBe("/r/room:0");
    expect(await visitor.account.innerText()).toContain("Mary");
  });

  test("with a typed name", async ({ visit }) => {
    const visitor = await visit();
    await visitor.logIn("Joe");
    await visitor.heading("General").waitFor();
    expect(await visitor.account.innerText()).toContain("Joe");
  });

  test("leads to the room of the address", async ({ visit }) => {
    const visitor = await visit({ at: "/r/room:1:3" });
    await visitor.logIn("Mary");
    await visitor.heading("Pablo").waitFor();
  });

  test("with a wrong password says so at the password", async ({ visit }) => {
    const visitor = await visit();
    await visitor.logIn("Pablo", "not the password");
    await visitor.alert(failures.wrongCredentials).waitFor();
    const password = visitor.field(words.logIn.password);
    expect(await descriptionOf(password)).toBe(failures.wrongCredentials);
    expect(await password.getAttribute("aria-invalid")).toBe("true");
    await visitor.logIn("Pablo");
    await visitor.heading("General").waitFor();
  });

  test("too often says how long to wait", async ({ visit }) => {
    const visitor = await visit();
    await visitor.page.route("**/graphql", (route) =>
      route.fulfill({
        json: {
          errors: [{ message: "Slow down.", extensions: { code: "RATE_LIMITED", retryAfter: 7 } }],
        },
      }),
    );
    await visitor.logIn("Pablo");
    await visitor.alert(failures.rateLimited(7)).waitFor();
    expect(failures.rateLimited(7)).toContain("7 seconds");
  });

  test("while the server is away says so, and works when it is back", async ({ visit, server }) => {
    const visitor = await visit({ losesNetwork: true });
    await server.kill();
    await visitor.logIn("Pablo");
    await visitor.alert(failures.noAnswer).waitFor();
    await server.start();
    await visitor.button(words.logIn.submit).click();
    await visitor.heading("General").waitFor();
  });
});

describe("registering", () => {
  test("opens an account and logs in", async ({ visit }) => {
    const visitor = await visit();
    await visitor.register("Zoé");
    await visitor.heading("General").waitFor();
    expect(await visitor.account.innerText()).toContain("Zoé");
    await visitor.logOut();
    await visitor.logIn("Zoé", "a password of her own");
    await visitor.heading("General").waitFor();
  });

  test("with a taken name says so at the name", async ({ visit }) => {
    const visitor = await visit();
    await visitor.register("Pablo");
    await visitor.alert(failures.nameTaken).waitFor();
    expect(await descriptionOf(visitor.field(words.logIn.username))).toBe(failures.nameTaken);
  });
});

describe("staying logged in", () => {
  test("over a reload", async ({ visit }) => {
    const visitor = await visit();
    await visitor.logIn("Alex");
    await visitor.heading("General").waitFor();
    await visitor.page.reload();
    await visitor.heading("General").waitFor();
    expect(await visitor.account.innerText()).toContain("Alex");
  });

  test("while the page is loaded without a server", async ({ visit }) => {
    const visitor = await visit({ as: "Alex", losesNetwork: true });
    // The page itself is there, as from a cache; what it asks for is not.
    await visitor.page.route("**/graphql", (route) => route.abort("connectionrefused"));
    await visitor.triesOnlyWhenTold();
    await visitor.page.reload();
    await visitor.heading(words.serverAway.title).waitFor();
    await visitor.alert(failures.noAnswer).waitFor();
    await visitor.page.unroute("**/graphql");
    await visitor.button(words.serverAway.retry).click();
    await visitor.heading("General").waitFor();
  });
});

describe("logging out", () => {
  test("ends the session, and that of the other tab", async ({ visit }) => {
    const visitor = await visit({ as: "Pablo" });
    const otherTab = await visitor.newTab("/r/room:1:2");
    await otherTab.heading("Joe").waitFor();
    await visitor.logOut();
    await visitor.heading(words.logIn.title).waitFor();
    await otherTab.heading(words.logIn.title).waitFor();
    await otherTab.page.reload();
    await otherTab.heading(words.logIn.title).waitFor();
  });

  test("leaves nothing of the chat on the page", async ({ visit }) => {
    const visitor = await visit({ as: "Joe", at: "/r/room:1:2" });
    await visitor.heading("Pablo").waitFor();
    await visitor.logOut();
    await visitor.logIn("Mary");
    await visitor.heading("General").waitFor();
    expect(new URL(visitor.page.url()).pathname).toBe("/r/room:0");
  });

  test("logging in again in one tab logs the other in too", async ({ visit }) => {
    const visitor = await visit();
    const otherTab = await visitor.newTab("/");
    await visitor.logIn("Mary");
    await otherTab.heading("General").waitFor();
    expect(await otherTab.account.innerText()).toContain("Mary");
  });
});

/** What assistive technology says about a field besides its name. */
async function descriptionOf(field: Locator): Promise<string> {
  return field.evaluate((input) => {
    const ids = input.getAttribute("aria-describedby")?.split(" ") ?? [];
    return ids.map((id) => document.getElementById(id)?.textContent).join(" ");
  });
}
