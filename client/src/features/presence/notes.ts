import { createStore, type Store } from "../../store";

/** Somebody came or went while one was looking. */
export interface Note {
  key: string;
  at: string;
  username: string;
  online: boolean;
  /** The moment of the newest message before it, by the server's clock: its place among messages. */
  after: string;
}

const KEPT = 200;

export interface Notes {
  readonly list: Store<readonly Note[]>;
  add(username: string, online: boolean, after: string): void;
}

export function createNotes(): Notes {
  const list = createStore<readonly Note[]>([]);
  let count = 0;
  return {
    list,
    add(username, online, after) {
      count += 1;
      const note = { key: `note:${count}`, at: new Date().toISOString(), username, online, after };
      list.set([...list.get(), note].slice(-KEPT));
    },
  };
}
