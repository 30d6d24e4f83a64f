import type { ApolloClient } from "@apollo/client";
import { useApolloClient } from "@apollo/client/react";
import { useCallback, useEffect, useMemo, useReducer, useSyncExternalStore } from "react";
import type { Failure } from "../../failure";
import type { Timeline_RoomFragment } from "../../gql/graphql";
import { useStore } from "../../store";
import { useAccount, useChat } from "../stream/ChatContext";
import { type TimelineItem, timelineItems } from "./items";
import { createPager, keepNewest, type PagerState } from "./pager";
import { TIMELINE } from "./queries";

export type { TimelineItem } from "./items";

export interface Timeline {
  status: "loading" | "ready" | "notFound" | "failed";
  /** Why the newest page, or the last one that was asked for, did not come. */
  failure?: Failure;
  retry(): void;
  items: readonly TimelineItem[];
  hasOlder: boolean;
  isLoadingOlder: boolean;
  loadOlder(): Promise<void>;
  /** The reader is so far back that the newest messages are not in the list. */
  hasNewer: boolean;
  loadNewer(): Promise<void>;
  jumpToPresent(): Promise<void>;
}

/** A room as its reader sees it. One request when it is opened first; the stream keeps it true. */
export function useTimeline(roomId: string): Timeline {
  const client = useApolloClient();
  const chat = useChat();
  const {
    viewer,
    outbox,
    notes: { list },
  } = useAccount();
  const room = useRoom(client, roomId);
  const entries = useStore(outbox.entries);
  const notes = useStore(list);
  const pager = useMemo(() => createPager(client, roomId, chat), [client, roomId, chat]);
  const paging = useStore(pager.state);

  const isKnown = room !== null;
  const [attempt, retry] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (isKnown) return;
    const leave = new AbortController();
    void pager.open(leave.signal);
    return () => leave.abort();
  }, [pager, isKnown, attempt]);
  useEffect(() => () => keepNewest(client.cache, roomId), [client, roomId]);
  useReadMark(room);

  const items = useMemo(
    () =>
      timelineItems({
        messages: room?.messages.edges.map((edge) => edge.node) ?? [],
        hasOlder: room?.messages.pageInfo.hasPreviousPage ?? false,
        hasNewer: room?.messages.pageInfo.hasNextPage ?? false,
        unsent: entries.filter((entry) => entry.roomId === roomId),
        notes: room?.kind === "PUBLIC" ? notes : [],
        viewerId: viewer.id,
      }),
    [room, entries, notes, roomId, viewer.id],
  );

  const edges = room?.messages.edges ?? [];
  const [oldest, newest] = [edges[0]?.cursor, edges.at(-1)?.cursor];
  return {
    status: statusOf(isKnown, paging),
    ...(paging.failure && { failure: paging.failure }),
    retry,
    items,
    hasOlder: room?.messages.pageInfo.hasPreviousPage ?? false,
    isLoadingOlder: paging.busy === "older",
    loadOlder: useCallback(async () => {
      if (oldest !== undefined) await pager.loadOlder(oldest);
    }, [pager, oldest]),
    hasNewer: room?.messages.pageInfo.hasNextPage ?? false,
    loadNewer: useCallback(async () => {
      if (newest !== undefined) await pager.loadNewer(newest);
    }, [pager, newest]),
    jumpToPresent: useCallback(async () => keepNewest(client.cache, roomId), [client, roomId]),
  };
}

/**
 * What the cache has of the room; null until its newest page has come. Apollo's own hooks wait a moment before they
 * render a change: a confirmed message would be gone from the outbox and not here yet.
 */
function useRoom(client: ApolloClient, roomId: string): Timeline_RoomFragment | null {
  const room = useMemo(
    () =>
      client.watchFragment({
        fragment: TIMELINE,
        fragmentName: "Timeline_room",
        from: { __typename: "Room", id: roomId },
      }),
    [client, roomId],
  );
  const subscribe = useCallback(
    (update: () => void) => {
      const subscription = room.subscribe(update);
      return () => subscription.unsubscribe();
    },
    [room],
  );
  const { data, complete } = useSyncExternalStore(subscribe, () => room.getCurrentResult());
  return complete ? data : null;
}

/** A room counts as read while it is on a page that can be seen. */
function useReadMark(room: Timeline_RoomFragment | null): void {
  const { reads } = useAccount();
  const newest = room?.messages.edges.at(-1)?.node.sentAt;
  useEffect(() => {
    if (!room || newest === undefined) return;
    const mark = () => {
      if (document.visibilityState === "visible") reads.mark(room.id, newest);
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => document.removeEventListener("visibilitychange", mark);
  }, [reads, room, newest]);
}

function statusOf(isKnown: boolean, { failure, isMissing }: PagerState): Timeline["status"] {
  if (isKnown) return "ready";
  if (isMissing) return "notFound";
  return failure ? "failed" : "loading";
}
