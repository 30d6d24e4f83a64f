import { createSavedState, type SavedState } from "../../savedState";
import { createStore, type Store } from "../../store";

/** How far everything has been read. Moments are those of messages, by the server's clock. */
interface Marks {
  /** What is older counts as read: it was there before this browser was used. */
  readonly since: string;
  readonly rooms: Readonly<Record<string, string>>;
}

type Arrivals = Readonly<Record<string, readonly string[]>>;

/** More unread messages than this are not counted. */
const MOST = 100;

export interface Reads {
  readonly marks: SavedState<Marks>;
  /** Moments of messages of others that came by the stream. */
  readonly arrivals: Store<Arrivals>;
  arrived(roomId: string, sentAt: string): void;
  mark(roomId: string, sentAt: string): void;
}

export function openReads(userId: string, newestAtFirst: string): Reads {
  const marks = createSavedState<Marks>(`parley:reads:${userId}`, { since: "", rooms: {} });
  if (marks.get().since === "") marks.set({ ...marks.get(), since: newestAtFirst || "0" });
  const arrivals = createStore<Arrivals>({});
  return {
    marks,
    arrivals,
    arrived(roomId, sentAt) {
      const known = arrivals.get()[roomId] ?? [];
      arrivals.set({ ...arrivals.get(), [roomId]: [...known, sentAt].slice(-MOST) });
    },
    mark(roomId, sentAt) {
      const { since, rooms } = marks.get();
      if (sentAt <= (rooms[roomId] ?? since)) return;
      marks.set({ since, rooms: { ...rooms, [roomId]: sentAt } });
    },
  };
}

/**
 * How many messages of a room have not been read. What came before the page was loaded is not
 * counted by anybody: it makes one.
 */
export function countUnread(
  roomId: string,
  { since, rooms }: Marks,
  arrivals: Arrivals,
  newestOfOthers: string | null,
): number {
  const mark = rooms[roomId] ?? since;
  const unread = (arrivals[roomId] ?? []).filter((sentAt) => sentAt > mark).length;
  return unread === 0 && newestOfOthers !== null && newestOfOthers > mark ? 1 : unread;
}
