/**
 * Sees to it that of all tabs one does a job: the one that was looked at last, since browsers slow
 * down the others. Where the browser cannot tell tabs apart, each of them does it.
 *
 * @param lead does the job until its signal aborts.
 * @returns how to step down for good.
 */
export function takeTurns(name: string, lead: (signal: AbortSignal) => void): () => void {
  const stop = new AbortController();
  // Not there on pages without TLS, whatever the types say.
  const locks: LockManager | undefined = navigator.locks;
  if (locks) void takeTurnsBy(locks, name, lead, stop.signal);
  else lead(stop.signal);
  return () => stop.abort();
}

async function takeTurnsBy(
  locks: LockManager,
  name: string,
  lead: (signal: AbortSignal) => void,
  stop: AbortSignal,
): Promise<void> {
  let takesOver = isVisible();
  let isLeading = false;
  let interrupt = () => {};
  const comeForward = () => {
    if (!isVisible() || isLeading) return;
    takesOver = true;
    interrupt();
  };
  document.addEventListener("visibilitychange", comeForward, { signal: stop });
  stop.addEventListener("abort", () => interrupt());

  while (!stop.aborted) {
    const turn = new AbortController();
    interrupt = () => turn.abort();
    const options = takesOver ? { steal: true } : { signal: turn.signal };
    takesOver = false;
    try {
      await locks.request(name, options, () => {
        isLeading = true;
        lead(turn.signal);
        return aborted(turn.signal);
      });
    } catch (error) {
      // Interrupted while waiting, or taken over by another tab.
      if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
    } finally {
      isLeading = false;
      turn.abort();
    }
  }
}

function isVisible(): boolean {
  return document.visibilityState === "visible";
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
}
