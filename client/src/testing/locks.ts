interface Waiting {
  grant(): void;
  fail(reason: unknown): void;
}

/** As much of `navigator.locks` as the client uses, for tabs that are simulated in one process. */
export function createLocks(): LockManager {
  const held = new Map<string, Waiting>();
  const queues = new Map<string, Waiting[]>();

  function next(name: string): void {
    held.delete(name);
    queues.get(name)?.shift()?.grant();
  }

  async function request(
    name: string,
    options: LockOptions,
    callback: (lock: Lock) => unknown,
  ): Promise<unknown> {
    return new Promise((resolve, fail) => {
      const waiting: Waiting = {
        fail,
        grant() {
          held.set(name, waiting);
          void Promise.resolve(callback({ name, mode: "exclusive" })).then((result) => {
            if (held.get(name) !== waiting) return; // It was stolen.
            resolve(result);
            next(name);
          }, fail);
        },
      };
      if (options.steal) held.get(name)?.fail(new DOMException("Stolen.", "AbortError"));
      if (options.steal || !held.has(name)) return waiting.grant();
      const queue = queues.get(name) ?? [];
      queues.set(name, [...queue, waiting]);
      options.signal?.addEventListener("abort", () => {
        queues.set(name, queues.get(name)?.filter((other) => other !== waiting) ?? []);
        fail(new DOMException("Given up.", "AbortError"));
      });
    });
  }

  // The rest of the interface is not used.
  return { request } as unknown as LockManager;
}
