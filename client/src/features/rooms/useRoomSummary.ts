import { useFragment } from "@apollo/client/react";
import { graphql } from "../../gql";
import { otherMember, roomName } from "./roomName";

const RoomSummary_room = graphql(`
  fragment RoomSummary_room on Room {
    id
    name
    kind
    members(first: 2) { nodes { id username isBot online lastSeenAt } }
  }
`);

export interface RoomSummary {
  id: string;
  name: string;
  /** The other one in a private room. */
  other: { username: string; isBot: boolean; online: boolean; lastSeenAt: string | null } | null;
}

/** What the page of a room says about it; null until it is known. */
export function useRoomSummary(roomId: string, viewerId: string): RoomSummary | null {
  const { data: room, complete } = useFragment({
    fragment: RoomSummary_room,
    from: { __typename: "Room", id: roomId },
  });
  if (!complete) return null;
  return {
    id: room.id,
    name: roomName(room, viewerId),
    other: room.kind === "PRIVATE" ? (otherMember(room.members.nodes, viewerId) ?? null) : null,
  };
}
