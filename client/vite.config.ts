import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { documents } from "./vite/documents.ts";

export default defineConfig({
  plugins: [react(), documents()],
  server: {
    proxy: {
      "/graphql": {
        target: process.env.PARLEY_URL ?? "http://localhost:8000",
        ws: true,
      },
    },
  },
  // One style sheet, at first: what comes later is asked for again after a failure, but styles are not.
  build: { target: "es2022", cssCodeSplit: false },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
  },
});
