import { failureText } from "../../failureText";
import { Button } from "../../ui/Button";
import { words } from "../../words";
import styles from "./TimelineHead.module.css";
import type { Timeline } from "./useTimeline";
import { headHeight } from "./useTimelineScroll";

interface Props {
  timeline: Timeline;
  roomName: string;
  isPrivate: boolean;
  /** Only when in sight: the keyboard passing by would carry the reader away. */
  isTabStop: boolean;
}

/** Stands above the oldest loaded message. */
export function TimelineHead({ timeline, roomName, isPrivate, isTabStop }: Props) {
  const { failure, hasOlder, isLoadingOlder, loadOlder, items } = timeline;
  const beginning = isPrivate
    ? words.timeline.beginningPrivate(roomName)
    : words.timeline.beginning(roomName);
  return (
    <div className={styles.head} style={{ height: headHeight }}>
      {failure && <p role="alert">{failureText(failure)}</p>}
      {hasOlder ? (
        <Button
          tabIndex={isTabStop ? 0 : -1}
          aria-disabled={isLoadingOlder}
          onClick={() => void loadOlder()}
        >
          {isLoadingOlder ? words.timeline.loadingOlder : words.timeline.loadOlder}
        </Button>
      ) : (
        items.length > 0 && <p>{beginning}</p>
      )}
    </div>
  );
}
