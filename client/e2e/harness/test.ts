import type { BrowserContextOptions } from "playwright-core";
import { test as base, expect } from "vitest";
import { demoPassword, LOG_IN, Member } from "./api";
import { openBrowser } from "./browser";
import type { Said } from "./seed";
import { Server } from "./server";
import { Visitor } from "./visitor";
import { Wire } from "./wire";

interface Visit {
  /** Who is logged in already; without it, nobody. */
  as?: string;
  /** Where to begin; at the root by default. */
  at?: string;
  /** The way to the server, which the test may break. */
  wire?: Wire;
  /** The test keeps the page from reaching the server: its console may say so. */
  losesNetwork?: boolean;
  context?: BrowserContextOptions;
}

/** Violations of the Content-Security-Policy do not all reach the console by themselves. */
const REPORT_VIOLATIONS = `document.addEventListener("securitypolicyviolation", (event) =>
  console.error("Violated: " + event.effectiveDirective + " by " + event.blockedURI));`;

/** Tests with a server and a browser for the file, and visitors for each test. */
export function testWith(history: readonly Said[], settings: Record<string, string> = {}) {
  return base
    .extend("server", { scope: "file" }, async ({}, { onCleanup }) => {
      const server = await Server.start(history, settings);
      onCleanup(() => server.end());
      return server;
    })
    .extend("browser", { scope: "file" }, async ({}, { onCleanup }) => {
      const browser = await openBrowser();
      onCleanup(() => browser.close());
      return browser;
    })
    .extend("wire", async ({ server }, { onCleanup }) => {
      const wire = await Wire.to(server.url);
      onCleanup(() => wire.close());
      return wire;
    })
    .extend("visitors", async ({}, { onCleanup }) => {
      const visitors: Visitor[] = [];
      onCleanup(async () => {
        await Promise.all(visitors.map(({ context }) => context.close()));
        expect(visitors.flatMap(({ problems }) => problems)).toEqual([]);
      });
      return visitors;
    })
    .extend("visit", async ({ server, browser, visitors }) => {
      return async ({ as, at = "/", wire, losesNetwork, context: options }: Visit = {}) => {
        const { url } = wire ?? server;
        const context = await browser.newContext({ locale: "en-GB", ...options });
        await context.addInitScript(REPORT_VIOLATIONS);
        const visitor = new Visitor(
          await context.newPage(),
          url,
          losesNetwork ?? wire !== undefined,
        );
        visitors.push(visitor);
        if (as !== undefined) await logInBefore(visitor, as);
        await visitor.goTo(at);
        await visitor.isReady();
        return visitor;
      };
    })
    .extend("member", async ({ server }) => {
      return (name: string) => Member.logIn(server.url, name);
    });
}

export const test = testWith([]);

/** The browser has the cookie before the page is loaded. */
async function logInBefore({ context, url }: Visitor, username: string): Promise<void> {
  const response = await context.request.post(`${url}/graphql`, {
    data: { query: LOG_IN, variables: { username, password: demoPassword } },
  });
  expect(await response.json()).toMatchObject({ data: { login: {} } });
}
