import { createStore, get, type UseStore, update } from "idb-keyval";
import type { OutboxEntry } from "./outbox";

export type Entries = readonly OutboxEntry[];
export type Change = (entries: Entries) => Entries;

/** Where the unsent messages of a user outlive the page. Changes of all tabs come one after the other. */
export interface OutboxStorage {
  read(): Promise<Entries>;
  update(change: Change): Promise<Entries>;
}

export function openOutboxStorage(userId: string): OutboxStorage {
  let kept: Entries = [];
  let database = openDatabase();

  /** Without a database, as in some private windows, they live as long as the page. */
  async function orInMemory(
    change: Change,
    action: (store: UseStore) => Promise<Entries>,
  ): Promise<Entries> {
    try {
      kept = database ? await action(database) : change(kept);
    } catch (error) {
      reportLoss(error);
      kept = change(kept);
    }
    return kept;
  }

  function reportLoss(error: unknown): void {
    if (database) console.warn("Unsent messages will be gone when the page is closed.", error);
    database = undefined;
  }

  return {
    read: () =>
      orInMemory(
        (entries) => entries,
        async (store) => (await get<Entries>(userId, store)) ?? [],
      ),
    update: (change) =>
      orInMemory(change, async (store) => {
        let changed: Entries = [];
        await update<Entries>(
          userId,
          (entries) => {
            changed = change(entries ?? []);
            return changed;
          },
          store,
        );
        return changed;
      }),
  };
}

function openDatabase(): UseStore | undefined {
  return typeof indexedDB === "undefined" ? undefined : createStore("parley", "outbox");
}
