import { unsentText } from "./pendingBubble";
import type { TimelineItem } from "./useTimeline";

/** Says once why a message was not sent; the rows say nothing by themselves, since they come and go with scrolling. */
export function UnsentAlert({ items }: { items: readonly TimelineItem[] }) {
  const unsent = items.flatMap((item) =>
    item.kind === "pending" && (item.entry.state === "failed" || item.entry.state === "rejected")
      ? [item.entry]
      : [],
  );
  const newest = unsent.at(-1);
  return (
    <p role="alert" className="visually-hidden">
      {newest && unsentText(newest)}
    </p>
  );
}
