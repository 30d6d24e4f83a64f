import { createSavedState, type SavedState } from "../../savedState";

/** What is written and not sent yet, by room. */
export interface Drafts {
  readonly texts: SavedState<Readonly<Record<string, string>>>;
  set(roomId: string, text: string): void;
}

export function openDrafts(userId: string): Drafts {
  const texts = createSavedState<Readonly<Record<string, string>>>(`parley:drafts:${userId}`, {});
  return {
    texts,
    set(roomId, text) {
      const { [roomId]: _, ...others } = texts.get();
      texts.set(text === "" ? others : { ...others, [roomId]: text });
    },
  };
}
