import { defineConfig } from "vitest/config";

/** The built client, as a real server serves it, in a real browser. Build it first. */
export default defineConfig(({ mode }) => ({
  test: {
    include: [mode === "pictures" ? "e2e/pictures.ts" : "e2e/*.test.ts"],
    // Each file has a server and a browser of its own, which mostly wait; more would slow each other.
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000, interval: 50 } },
  },
}));
