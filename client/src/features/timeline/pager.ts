import type { ApolloCache, ApolloClient } from "@apollo/client";
import { fetchIntoCache } from "../../apollo/fetchIntoCache";
import { type Failure, isPassing, toFailure } from "../../failure";
import { createStore, type Store } from "../../store";
import { backoffAfter } from "../../waits";
import { addMessage, type NewEdge } from "../stream/applyEvents";
import type { Chat } from "../stream/chat";
import type { StoredEdge } from "./messagesPolicy";
import { OPEN_ROOM, ROOM_PAGE } from "./queries";
import { atPresent, type Timeline } from "./segments";

export interface PagerState {
  readonly busy: "newest" | "older" | "newer" | null;
  readonly failure: Failure | null;
  readonly isMissing: boolean;
}

/** Asks for pages of a room, one at a time; what comes goes to the cache. */
export interface Pager {
  readonly state: Store<PagerState>;
  /** Asks for the newest page until there is an answer. */
  open(signal: AbortSignal): Promise<void>;
  loadOlder(before: string): Promise<void>;
  loadNewer(after: string): Promise<void>;
}

const PAGE_SIZE = 100;

export function createPager(
  client: ApolloClient,
  roomId: string,
  { waits, onMessage }: Chat,
): Pager {
  const state = createStore<PagerState>({ busy: null, failure: null, isMissing: false });

  /** @returns why there was no answer. */
  async function load(
    busy: NonNullable<PagerState["busy"]>,
    ask: () => Promise<{ room: unknown }>,
  ): Promise<Failure | null> {
    state.set({ ...state.get(), busy });
    try {
      const { room } = await ask();
      state.set({ busy: null, failure: null, isMissing: room === null });
      return null;
    } catch (error) {
      const failure = toFailure(error);
      state.set({ ...state.get(), busy: null, failure });
      return failure;
    }
  }

  async function loadPage(
    busy: "older" | "newer",
    range: { first: number; after: string } | { last: number; before: string },
  ): Promise<void> {
    if (state.get().busy) return;
    await load(busy, () => fetchIntoCache(client, ROOM_PAGE, { roomId, ...range }));
    client.cache.gc(); // Of messages that have left the window.
  }

  /** Messages may arrive while the page is on its way that are newer than it. */
  async function loadNewest(): Promise<Failure | null> {
    const arrived: NewEdge[] = [];
    const stop = onMessage((edge) => edge.node.room.id === roomId && arrived.push(edge));
    const failure = await load("newest", () => fetchIntoCache(client, OPEN_ROOM, { roomId }));
    stop();
    for (const edge of arrived) addMessage(client.cache, edge);
    return failure;
  }

  return {
    state,
    async open(signal) {
      for (let attempt = 0; !signal.aborted; attempt++) {
        const failure = await loadNewest();
        if (!failure || !isPassing(failure)) return;
        await waits.pause(backoffAfter(failure, attempt), signal);
      }
    },
    loadOlder: (before) => loadPage("older", { last: PAGE_SIZE, before }),
    loadNewer: (after) => loadPage("newer", { first: PAGE_SIZE, after }),
  };
}

/** Forgets all but the newest messages of a room. */
export function keepNewest(cache: ApolloCache, roomId: string): void {
  const id = cache.identify({ __typename: "Room", id: roomId }) ?? "";
  cache.modify({
    id,
    fields: {
      // The field is kept as its policy keeps it.
      messages: (timeline: unknown) => atPresent(timeline as Timeline<StoredEdge>) as never,
    },
  });
  cache.gc();
}
