// Said once a peer takes connections; the benchmark reads the port from it.
export function announce(port) {
  console.log(`listening on http://127.0.0.1:${port}`);
}

// Longer than any pause between two requests of a measure.
export const KEEP_ALIVE_MS = 120_000;

process.on("SIGTERM", () => process.exit(0));
