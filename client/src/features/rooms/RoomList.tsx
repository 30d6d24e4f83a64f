import { moveFocusByArrows } from "../../a11y/arrowKeys";
import { useOutbox } from "../outbox/useOutbox";
import { RoomItem } from "./RoomItem";
import styles from "./Sidebar.module.css";
import type { Rooms } from "./useRooms";

interface Props {
  rooms: Rooms;
  viewerId: string;
  openRoomId: string | null;
}

export function RoomList({ rooms: { rooms, unread }, viewerId, openRoomId }: Props) {
  const { waiting } = useOutbox();
  const tabStop = Math.max(
    rooms.findIndex((room) => room.id === openRoomId),
    0,
  );
  return (
    <ul className={styles.list} onKeyDown={moveFocusByArrows}>
      {rooms.map((room, index) => (
        <RoomItem
          key={room.id}
          room={room}
          viewerId={viewerId}
          isOpen={room.id === openRoomId}
          isTabStop={index === tabStop}
          unread={unread(room.id)}
          waiting={waiting(room.id)}
        />
      ))}
    </ul>
  );
}
