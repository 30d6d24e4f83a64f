import { useFragment } from "@apollo/client/react";
import { graphql } from "../../gql";
import type { MessageRow_MessageFragment } from "../../gql/graphql";
import { Avatar } from "../../ui/Avatar";
import { BotMark } from "../../ui/BotMark";
import { clockTime } from "../../ui/clock";
import { nameColorOf } from "../../ui/identity";
import { words } from "../../words";
import { calledName } from "../people/calledName";
import { OnlineDot } from "../presence/OnlineDot";
import { Bubble, type BubbleProps } from "./Bubble";
import styles from "./MessageRow.module.css";
import { pendingBubble } from "./pendingBubble";
import type { Placement } from "./placement";
import type { TimelineItem } from "./useTimeline";

export const MessageRow_message = graphql(`
  fragment MessageRow_message on Message {
    id
    text
    sentAt
    sender { id username isBot online }
  }
`);

interface Props {
  item: Exclude<TimelineItem, { kind: "note" }>;
  placement: Placement;
  viewerId: string;
  /** Names and faces: needed where more than two talk. */
  showsAuthors: boolean;
  isTabStop: boolean;
  onOpenChatWith(userId: string): void;
}

/** A message, confirmed or not. Confirming one only changes its bubble, which keeps the focus and what is selected. */
export function MessageRow(props: Props) {
  const { item } = props;
  const from = item.kind === "message" ? item.message : null;
  const { data, complete } = useFragment({ fragment: MessageRow_message, from });
  if (item.kind === "pending") return <Bubble {...pendingBubble(item.entry, props)} />;
  return complete ? <Bubble {...confirmedBubble(data, props)} /> : null;
}

function confirmedBubble(
  { sender, sentAt, text }: MessageRow_MessageFragment,
  { placement, viewerId, showsAuthors, isTabStop, onOpenChatWith }: Props,
): BubbleProps {
  const isOwn = sender.id === viewerId;
  const showsAuthor = showsAuthors && !isOwn;
  return {
    label: words.timeline.by(calledName(sender), clockTime(sentAt)),
    isOwn,
    isTabStop,
    placement,
    face:
      showsAuthor &&
      (placement.startsGroup ? (
        <Avatar name={sender.username} size="small">
          <OnlineDot online={sender.online} />
        </Avatar>
      ) : (
        <span className={styles.noFace} />
      )),
    author: showsAuthor && placement.startsGroup && (
      <button
        type="button"
        className={styles.author}
        tabIndex={isTabStop ? 0 : -1}
        style={{ color: nameColorOf(sender.username) }}
        aria-label={words.timeline.openChatWith(calledName(sender))}
        onClick={() => onOpenChatWith(sender.id)}
      >
        <bdi>{sender.username}</bdi>
        {sender.isBot && <BotMark />}
      </button>
    ),
    text,
    time: (
      <time dir="auto" className={styles.time} dateTime={sentAt}>
        {clockTime(sentAt)}
      </time>
    ),
  };
}
