import { memo } from "react";
import { dayName } from "../../ui/clock";
import { useToday } from "../../ui/useToday";
import { momentOf, showTheSame } from "./items";
import { MessageRow } from "./MessageRow";
import { NoteRow } from "./NoteRow";
import type { Placement } from "./placement";
import styles from "./TimelineRow.module.css";
import type { TimelineItem } from "./useTimeline";

interface Props {
  item: TimelineItem;
  placement: Placement;
  viewerId: string;
  showsAuthors: boolean;
  isTabStop: boolean;
  onOpenChatWith(userId: string): void;
}

/** Rows are many and scrolling renders often, so a row renders only when something of its own changes. */
export const TimelineRow = memo(function TimelineRow(props: Props) {
  return (
    <>
      {props.placement.startsDay && <DaySeparator at={momentOf(props.item)} />}
      <ItemRow {...props} />
    </>
  );
}, haveSameContent);

function ItemRow({ item, ...props }: Props) {
  return item.kind === "note" ? (
    <NoteRow username={item.username} online={item.online} />
  ) : (
    <MessageRow item={item} {...props} />
  );
}

function DaySeparator({ at }: { at: string }) {
  return (
    <h2 className={styles.day}>
      <time dateTime={at}>{dayName(at, useToday())}</time>
    </h2>
  );
}

function haveSameContent(one: Props, other: Props): boolean {
  return (
    showTheSame(one.item, other.item) &&
    one.viewerId === other.viewerId &&
    one.showsAuthors === other.showsAuthors &&
    one.isTabStop === other.isTabStop &&
    one.onOpenChatWith === other.onOpenChatWith &&
    one.placement.startsDay === other.placement.startsDay &&
    one.placement.startsGroup === other.placement.startsGroup &&
    one.placement.endsGroup === other.placement.endsGroup
  );
}
