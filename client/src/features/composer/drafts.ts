import { createSavedState, type SavedState } from "../../savedState";

/** What is written and not sent yet, by room. */
export interface Drafts {
  readonly texts: SavedState<Readonly<Record<string, string>>>;
  set(roomId: string, text: string): void;
  /** Shows none at once. It stays saved until the message is kept: a page may end in between. */
  clear(roomId: string, isKept: Promise<void>): Promise<void>;
}

export function openDrafts(userId: string): Drafts {
  const texts = createSavedState<Readonly<Record<string, string>>>(`parley:drafts:${userId}`, {});
  const others = (roomId: string) => {
    const { [roomId]: _, ...rest } = texts.get();
    return rest;
  };
  return {
    texts,
    set(roomId, text) {
      texts.set(text === "" ? others(roomId) : { ...others(roomId), [roomId]: text });
    },
    async clear(roomId, isKept) {
      texts.setUnsaved(others(roomId));
      await isKept;
      texts.set(texts.get());
    },
  };
}
