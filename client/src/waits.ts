import type { Failure } from "./failure";

const LONGEST = 15_000;
const FIRST = 1_000;

/** How long to wait before an attempt: longer each time, and not for everybody at the same moment. */
export function backoff(attempt: number): number {
  return Math.random() * Math.min(LONGEST, FIRST * 2 ** attempt);
}

/** The same after a failure, whose server may have said how long to wait at least. */
export function backoffAfter({ retryAfter = 0 }: Failure, attempt: number): number {
  return retryAfter * 1_000 + backoff(attempt);
}

/** Waits that end early when there is reason for hope, such as a network that is back. */
export interface Waits {
  /** Resolves after the time, at `wake`, or when the signal aborts. */
  pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
  wake(): void;
}

export function createWaits(): Waits {
  const waiting = new Set<() => void>();
  return {
    pause: (milliseconds, signal) =>
      new Promise((resolve) => {
        const finish = () => {
          clearTimeout(timer);
          waiting.delete(finish);
          signal?.removeEventListener("abort", finish);
          resolve();
        };
        const timer = setTimeout(finish, milliseconds);
        waiting.add(finish);
        signal?.addEventListener("abort", finish);
        if (signal?.aborted) finish();
      }),
    wake() {
      for (const finish of [...waiting]) finish();
    },
  };
}
