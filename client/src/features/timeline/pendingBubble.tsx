import { Clock } from "lucide-react";
import { failureText } from "../../failureText";
import { Button } from "../../ui/Button";
import { clockTime } from "../../ui/clock";
import { words } from "../../words";
import type { OutboxEntry } from "../outbox/outbox";
import { useOutbox } from "../outbox/useOutbox";
import type { BubbleProps } from "./Bubble";
import styles from "./MessageRow.module.css";

/** A message of the viewer that the server has not acknowledged yet. */
export function pendingBubble(
  entry: OutboxEntry,
  { placement, isTabStop }: Pick<BubbleProps, "placement" | "isTabStop">,
): BubbleProps {
  const isUnsent = entry.state === "failed" || entry.state === "rejected";
  const status = entry.state === "sending" ? words.timeline.sending : words.timeline.queued;
  return {
    label: words.timeline.by(words.rooms.you, isUnsent ? words.timeline.notSent : status),
    isOwn: true,
    isPending: true,
    isTabStop,
    placement,
    text: entry.text,
    time: (
      <span dir="auto" className={styles.time}>
        {clockTime(entry.createdAt)}
        {!isUnsent && <Clock aria-hidden size={12} className={styles.pendingIcon} />}
      </span>
    ),
    footer: isUnsent && <UnsentActions entry={entry} />,
  };
}

function UnsentActions({ entry }: { entry: OutboxEntry }) {
  const { retry, discard } = useOutbox();
  return (
    <div className={styles.status}>
      <span>{unsentText(entry)}</span>
      <span className={styles.actions}>
        <Button onClick={() => retry(entry.clientMessageId)}>{words.timeline.retrySend}</Button>
        <Button onClick={() => discard(entry.clientMessageId)}>{words.timeline.discard}</Button>
      </span>
    </div>
  );
}

/** That a message was not sent, and why; what can pass is tried again by itself. */
export function unsentText({ state, failure }: OutboxEntry): string {
  const text = state === "failed" ? words.timeline.notSentYet : words.timeline.notSent;
  return failure === undefined ? text : `${text} ${failureText(failure)}`;
}
