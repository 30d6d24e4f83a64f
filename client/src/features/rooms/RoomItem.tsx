import type { FragmentType } from "@apollo/client";
import { useFragment } from "@apollo/client/react";
import { Clock } from "lucide-react";
import { Link } from "wouter";
import { graphql } from "../../gql";
import { roomPath } from "../../routes";
import { Avatar } from "../../ui/Avatar";
import { BotMark } from "../../ui/BotMark";
import { shortTime } from "../../ui/clock";
import { useToday } from "../../ui/useToday";
import { words } from "../../words";
import { calledName } from "../people/calledName";
import { OnlineDot } from "../presence/OnlineDot";
import { PublicFace } from "./PublicFace";
import styles from "./RoomItem.module.css";
import { otherMember, roomName } from "./roomName";

export const RoomItem_room = graphql(`
  fragment RoomItem_room on Room {
    id
    name
    kind
    members(first: 2) { nodes { id username isBot online lastSeenAt } }
    lastMessage { id text sentAt sender { id username isBot } }
  }
`);

interface Props {
  room: FragmentType<typeof RoomItem_room>;
  viewerId: string;
  isOpen: boolean;
  isTabStop: boolean;
  unread: number;
  waiting: number;
}

export function RoomItem({ room: ref, viewerId, isOpen, isTabStop, unread, waiting }: Props) {
  const today = useToday();
  const { data: room, complete } = useFragment({ fragment: RoomItem_room, from: ref });
  if (!complete) return null;
  const name = roomName(room, viewerId);
  const last = room.lastMessage;
  const other = room.kind === "PUBLIC" ? undefined : otherMember(room.members.nodes, viewerId);
  return (
    <li>
      <Link
        href={roomPath(room.id)}
        className={styles.item}
        aria-current={isOpen ? "page" : undefined}
        tabIndex={isTabStop ? 0 : -1}
        data-unread={unread > 0}
      >
        {room.kind === "PUBLIC" ? (
          <PublicFace />
        ) : (
          <Avatar name={name}>
            <OnlineDot online={other?.online ?? false} />
          </Avatar>
        )}
        <span className={styles.name}>
          <bdi>{name}</bdi>
          {other?.isBot && <BotMark />}
        </span>
        {last !== null && (
          <time className={styles.time} dateTime={last.sentAt}>
            {shortTime(last.sentAt, today)}
          </time>
        )}
        <span className={styles.news}>
          <bdi className={styles.preview}>
            {last === null ? words.rooms.nothingYet : previewOf(last, room.kind, viewerId)}
          </bdi>
          {waiting > 0 && (
            <span className={styles.waiting}>
              <Clock aria-hidden size={14} />
              <span className="visually-hidden">{words.rooms.waiting(waiting)}</span>
            </span>
          )}
          {unread > 0 && (
            <span className={styles.unread}>
              <span aria-hidden>{unread > 99 ? "99+" : unread}</span>
              <span className="visually-hidden">{words.rooms.unread(unread)}</span>
            </span>
          )}
        </span>
      </Link>
    </li>
  );
}

function previewOf(
  message: { text: string; sender: { id: string; username: string; isBot: boolean } },
  kind: "PUBLIC" | "PRIVATE",
  viewerId: string,
): string {
  if (message.sender.id === viewerId) return words.rooms.preview(words.rooms.you, message.text);
  return kind === "PUBLIC"
    ? words.rooms.preview(calledName(message.sender), message.text)
    : message.text;
}
