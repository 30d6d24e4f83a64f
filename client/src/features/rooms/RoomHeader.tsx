import { Avatar } from "../../ui/Avatar";

import { BotMark } from "../../ui/BotMark";
import { shortTime } from "../../ui/clock";
import { useToday } from "../../ui/useToday";
import { words } from "../../words";
import { OnlineDot } from "../presence/OnlineDot";
import { BackLink } from "./BackLink";
import styles from "./RoomHeader.module.css";
import { RoomMembers } from "./RoomMembers";
import type { RoomSummary } from "./useRoomSummary";

interface Props {
  /** Null until the room is known. */
  room: RoomSummary | null;
  viewerId: string;
}

export function RoomHeader({ room, viewerId }: Props) {
  const today = useToday();
  return (
    <header className={styles.header}>
      <BackLink />
      {room?.other && (
        <Avatar name={room.other.username}>
          <OnlineDot online={room.other.online} />
        </Avatar>
      )}
      {room && (
        <>
          <h1 className={styles.name}>
            <bdi>{room.name}</bdi>
            {room.other?.isBot && <BotMark />}
          </h1>
          {room.other ? (
            <p className={styles.presence}>{presenceText(room.other, today)}</p>
          ) : (
            <RoomMembers roomId={room.id} viewerId={viewerId} />
          )}
        </>
      )}
    </header>
  );
}

function presenceText(user: { online: boolean; lastSeenAt: string | null }, today: Date): string {
  if (user.online) return words.presence.online;
  return user.lastSeenAt === null
    ? words.presence.offline
    : words.presence.lastSeen(shortTime(user.lastSeenAt, today));
}
