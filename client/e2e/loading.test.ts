import { gzipSync } from "node:zlib";
import type { Page, Response } from "playwright-core";
import { describe, expect } from "vitest";
import { words } from "../src/words";
import { test } from "./harness/test";

const MOST_BYTES = 180_000;

describe("the first load", () => {
  test("takes at most 180 kB of compressed JavaScript, logged in or not", async ({ visit }) => {
    const visitor = await visit();
    const scripts = scriptsOf(visitor.page);
    await visitor.page.reload();
    await visitor.heading(words.logIn.title).waitFor();
    expect(scripts.length).toBeGreaterThan(0);
    expect(await compressedBytes(scripts)).toBeLessThanOrEqual(MOST_BYTES);

    const member = await visit({ as: "Pablo", at: "/r/nonsense" });
    const more = scriptsOf(member.page);
    await member.goTo("/");
    await member.rows.last().waitFor();
    expect(more.length).toBeGreaterThan(0);
    expect(await compressedBytes(more)).toBeLessThanOrEqual(MOST_BYTES);
  });

  test("keeps its files for ever, and asks for the page anew each time", async ({ visit }) => {
    const visitor = await visit();
    const assets = new Set<string>();
    visitor.page.on("response", (response) => {
      if (new URL(response.url()).pathname.startsWith("/assets/")) assets.add(response.url());
    });
    for (const path of ["/", "/r/room:0"]) {
      const page = await visitor.page.goto(visitor.url + path);
      expect(page?.headers()["cache-control"]).toBe("no-cache");
      expect(page?.headers()["content-security-policy"]).toContain("default-src 'self'");
      await visitor.heading(words.logIn.title).waitFor();
    }
    expect(assets.size).toBeGreaterThan(1);
    for (const asset of assets) {
      const { headers } = await fetch(asset);
      expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    }
  });
});

function scriptsOf(page: Page): Response[] {
  const scripts: Response[] = [];
  page.on("response", (response) => {
    if (new URL(response.url()).pathname.endsWith(".js")) scripts.push(response);
  });
  return scripts;
}

async function compressedBytes(scripts: readonly Response[]): Promise<number> {
  const bodies = await Promise.all(scripts.map((script) => script.body()));
  return bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
}
