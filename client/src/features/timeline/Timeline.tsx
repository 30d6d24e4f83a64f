import {
  type FocusEvent,
  type KeyboardEvent,
  type Ref,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from "react";
import { flushSync } from "react-dom";
import { words } from "../../words";
import { momentOf } from "./items";
import { JumpButton } from "./JumpButton";
import { countUnseen, placeable, placements } from "./placement";
import { ScrollDate } from "./ScrollDate";
import styles from "./Timeline.module.css";
import { TimelineHead } from "./TimelineHead";
import { TimelineRow } from "./TimelineRow";
import { UnsentAlert } from "./UnsentAlert";
import type { Timeline as TimelineData, TimelineItem } from "./useTimeline";
import { useTimelineScroll } from "./useTimelineScroll";

export interface TimelineHandle {
  /** Shows the newest message, for example the one just sent. */
  goToEnd(): void;
}

interface Props {
  timeline: TimelineData;
  viewerId: string;
  roomName: string;
  isPrivate: boolean;
  ref: Ref<TimelineHandle>;
  onOpenChatWith(userId: string): void;
}

export function Timeline({ timeline, viewerId, roomName, isPrivate, ref, onOpenChatWith }: Props) {
  const { items, hasOlder } = timeline;
  const placed = useMemo(() => items.map((item) => placeable(item, viewerId)), [items, viewerId]);
  const places = useMemo(() => placements(placed, !hasOlder), [placed, hasOlder]);
  const focus = useRowFocus(timeline);
  const { scroller, virtualizer, isAtEnd, onScroll, goToEnd } = useTimelineScroll(
    timeline,
    focus.tabStop,
  );
  useImperativeHandle(ref, () => ({ goToEnd: () => void goToEnd() }));

  const lastSeenKey = useRef<string | null>(null);
  if (isAtEnd) lastSeenKey.current = placed.at(-1)?.key ?? null;
  const unseen = countUnseen(placed, lastSeenKey.current, viewerId);

  function onKeyDown(event: KeyboardEvent) {
    const index = focus.indexAfter(event);
    if (index === null) return;
    event.preventDefault();
    flushSync(() => focus.moveTo(index));
    virtualizer.scrollToIndex(index, { align: "auto" });
    scroller.current
      ?.querySelector<HTMLElement>(`[data-index="${index}"] article`)
      ?.focus({ preventScroll: true });
  }

  function onFocus(event: FocusEvent) {
    const index = event.target.closest<HTMLElement>("[data-index]")?.dataset.index;
    if (index !== undefined) focus.moveTo(Number(index));
  }

  const topItem = items[virtualizer.range?.startIndex ?? -1];
  return (
    <div className={styles.frame}>
      <div
        ref={scroller}
        className={styles.scroller}
        role="log"
        aria-live="off"
        aria-label={words.timeline.label(roomName)}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
        onFocus={onFocus}
      >
        <div className={styles.rows} style={{ height: virtualizer.getTotalSize() }}>
          <TimelineHead
            timeline={timeline}
            roomName={roomName}
            isPrivate={isPrivate}
            isTabStop={virtualizer.range?.startIndex === 0}
          />
          {virtualizer.getVirtualItems().map(({ index, key, start }) => {
            const item = items[index];
            const placement = places[index];
            if (item === undefined || placement === undefined) return null;
            return (
              <div
                key={key}
                ref={virtualizer.measureElement}
                data-index={index}
                className={styles.row}
                style={{ transform: `translateY(${start}px)` }}
              >
                <TimelineRow
                  item={item}
                  placement={placement}
                  viewerId={viewerId}
                  showsAuthors={!isPrivate}
                  isTabStop={index === focus.tabStop}
                  onOpenChatWith={onOpenChatWith}
                />
              </div>
            );
          })}
        </div>
      </div>
      {topItem !== undefined && (
        <ScrollDate at={momentOf(topItem)} isShown={virtualizer.isScrolling && !isAtEnd} />
      )}
      {!isAtEnd && <JumpButton unseen={unseen} onJump={() => void goToEnd()} />}
      <UnsentAlert items={items} />
    </div>
  );
}

/** One row at a time is a tab stop: the one focused last, else the newest. The arrow keys, Home and End move it. */
function useRowFocus({ items }: TimelineData) {
  const [focusedKey, setFocusedKey] = useState<string | null>(null);
  const index = useMemo(
    () => (focusedKey === null ? -1 : items.findIndex((item) => item.key === focusedKey)),
    [items, focusedKey],
  );
  const lastMessage = items.findLastIndex(canFocus);

  function indexAfter(event: KeyboardEvent): number | null {
    const isOnRow = event.target instanceof HTMLElement && event.target.tagName === "ARTICLE";
    if (!isOnRow || event.altKey || event.ctrlKey || event.metaKey) return null;
    const next = destination(event.key);
    return next === -1 ? null : next;
  }

  function destination(key: string): number {
    switch (key) {
      case "ArrowUp":
        return items.findLastIndex((item, at) => at < index && canFocus(item));
      case "ArrowDown":
        return items.findIndex((item, at) => at > index && canFocus(item));
      case "Home":
        return items.findIndex(canFocus);
      case "End":
        return lastMessage;
      default:
        return -1;
    }
  }

  return {
    tabStop: index === -1 ? lastMessage : index,
    indexAfter,
    moveTo: (next: number) => setFocusedKey(items[next]?.key ?? null),
  };
}

function canFocus(item: TimelineItem): boolean {
  return item.kind !== "note";
}
