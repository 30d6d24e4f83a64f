import { useFragment } from "@apollo/client/react";
import { graphql } from "../../gql";
import { Avatar } from "../../ui/Avatar";
import { words } from "../../words";
import styles from "./RoomHeader.module.css";

const RoomMembers_room = graphql(`
  fragment RoomMembers_room on Room {
    id
    people: members(first: 100) {
      nodes { id username online }
      pageInfo { hasNextPage }
    }
  }
`);

interface Props {
  roomId: string;
  /** Is here, whatever the server knows by now. */
  viewerId: string;
}

const shownFaces = 4;

/** How many are in the room, and some of those who are here. */
export function RoomMembers({ roomId, viewerId }: Props) {
  const { data, complete } = useFragment({
    fragment: RoomMembers_room,
    from: { __typename: "Room", id: roomId },
  });
  if (!complete) return null;
  const { nodes, pageInfo } = data.people;
  const online = nodes.filter((person) => person.online || person.id === viewerId);
  return (
    <>
      <p className={styles.presence}>
        {words.rooms.members(
          words.rooms.memberCount(nodes.length, pageInfo.hasNextPage),
          online.length,
        )}
      </p>
      <div aria-hidden className={styles.faces}>
        {online.slice(0, shownFaces).map((person) => (
          <Avatar key={person.id} name={person.username} size="small" />
        ))}
      </div>
    </>
  );
}
