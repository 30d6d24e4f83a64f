import { words } from "../../words";

interface Named {
  name: string | null;
  members: { nodes: { id: string; username: string }[] };
}

/** What a room is called for its viewer: a private room has the name of the other one in it. */
export function roomName(room: Named, viewerId: string): string {
  return room.name ?? otherMember(room.members.nodes, viewerId)?.username ?? words.rooms.unnamed;
}

export function otherMember<Member extends { id: string }>(
  members: Member[],
  viewerId: string,
): Member | undefined {
  return members.find((member) => member.id !== viewerId) ?? members[0];
}
