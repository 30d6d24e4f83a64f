import type { ReactNode } from "react";
import styles from "./Bubble.module.css";
import { MessageText } from "./MessageText";
import type { Placement } from "./placement";

export interface BubbleProps {
  label: string;
  isOwn: boolean;
  isTabStop: boolean;
  isPending?: boolean;
  placement: Placement;
  face?: ReactNode;
  /** Stands over the text. */
  author?: ReactNode;
  text: string;
  /** Stands at the end of the text. */
  time: ReactNode;
  /** Stands under the bubble. */
  footer?: ReactNode;
}

export function Bubble({
  label,
  isOwn,
  isTabStop,
  isPending = false,
  placement,
  face,
  author,
  text,
  time,
  footer,
}: BubbleProps) {
  return (
    <article
      className={styles.row}
      aria-label={label}
      tabIndex={isTabStop ? 0 : -1}
      data-own={isOwn}
      data-pending={isPending}
      data-starts-group={placement.startsGroup}
      data-ends-group={placement.endsGroup}
    >
      {face}
      <div className={styles.stack}>
        <div className={styles.bubble}>
          {author}
          <MessageText text={text} isTabStop={isTabStop}>
            {time}
          </MessageText>
        </div>
        {footer}
      </div>
    </article>
  );
}
