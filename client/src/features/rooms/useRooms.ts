import type { FragmentType } from "@apollo/client";
import { useApolloClient, useQuery } from "@apollo/client/react";
import { useCallback, useMemo } from "react";
import { type Failure, toFailure } from "../../failure";
import type { RoomItem_RoomFragment, RoomsQuery } from "../../gql/graphql";
import { useStore } from "../../store";
import { applyEvents } from "../stream/applyEvents";
import { useAccount } from "../stream/ChatContext";
import { OPEN_PRIVATE_ROOM, ROOMS } from "./queries";
import { countUnread } from "./reads";

type Room = RoomsQuery["rooms"]["nodes"][number];

export type ListedRoom = FragmentType<RoomItem_RoomFragment> & Pick<Room, "id" | "kind">;

export interface Rooms {
  /** Public ones first, then those where something was said last. */
  rooms: readonly ListedRoom[];
  /** Messages of others since one had the room open; it is marked as read while it is. */
  unread(roomId: string): number;
}

export function useRooms(): Rooms {
  const { viewer, reads } = useAccount();
  const { data } = useQuery(ROOMS, { fetchPolicy: "cache-only" });
  const marks = useStore(reads.marks);
  const arrivals = useStore(reads.arrivals);
  const rooms = useMemo(() => [...(data?.rooms.nodes ?? [])].sort(byInterest), [data]);
  const unread = useCallback(
    (roomId: string) => {
      const newest = rooms.find((room) => room.id === roomId)?.lastMessage;
      const isOfOthers = newest && newest.sender.id !== viewer.id;
      return countUnread(roomId, marks, arrivals, isOfOthers ? newest.sentAt : null);
    },
    [rooms, marks, arrivals, viewer.id],
  );
  return { rooms, unread };
}

/** The room is there, and in the list, when the promise resolves. */
export function useOpenPrivateRoom(): (userId: string) => Promise<{ roomId: string } | Failure> {
  const client = useApolloClient();
  return useCallback(
    async (userId) => {
      try {
        const { data } = await client.mutate({
          mutation: OPEN_PRIVATE_ROOM,
          variables: { userId },
          fetchPolicy: "no-cache",
        });
        if (!data) throw new Error("The answer is empty.");
        const { room } = data.openPrivateRoom;
        applyEvents(client.cache, [{ __typename: "RoomAdded", cursor: null, room }]);
        return { roomId: room.id };
      } catch (error) {
        return toFailure(error);
      }
    },
    [client],
  );
}

function byInterest(a: Room, b: Room): number {
  if (a.kind !== b.kind) return a.kind === "PUBLIC" ? -1 : 1;
  if (a.kind === "PUBLIC") return 0;
  const [sentA, sentB] = [a.lastMessage?.sentAt ?? "", b.lastMessage?.sentAt ?? ""];
  return sentA === sentB ? 0 : sentA > sentB ? -1 : 1;
}
