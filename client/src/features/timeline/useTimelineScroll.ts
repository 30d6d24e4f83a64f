import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from "react";
import type { Timeline } from "./useTimeline";

/** Space above the first row: for the way to older messages, or the beginning. */
export const headHeight = 88;
/** Space under the last row, and around one that the keyboard moves to. */
const gap = 12;
/** Nearer to the end than this, the reader counts as being there. */
const endThreshold = 80;
/** Pages are loaded when the reader comes nearer to an end than this. */
const loadDistance = 1_000;

/** The same for all rows: an estimate that changed with the neighbours of a row would move it unnoticed. */
const estimatedHeight = 56;

/**
 * The virtual list and its position. It opens at the end, follows new items while there, and stays on the row being
 * read in every other case: when older rows come above, newer ones below, or when rows turn out higher than estimated.
 */
export function useTimelineScroll(timeline: Timeline, tabStop: number) {
  const { items, hasNewer } = timeline;
  const scroller = useRef<HTMLDivElement>(null);
  const [isAtBottom, setIsAtBottom] = useState(true);
  const wantsEnd = useRef(true);
  const hadNewer = useRef(hasNewer);
  const formerFirstKey = useRef<string>(undefined);
  const firstKey = useRef(items[0]?.key);

  const virtualizer = useVirtualizer<HTMLDivElement, HTMLDivElement>({
    count: items.length,
    getScrollElement: () => scroller.current,
    getItemKey: useCallback((index) => items[index]?.key ?? index, [items]),
    estimateSize: () => estimatedHeight,
    rangeExtractor: useCallback((range) => rangeWith(tabStop, range), [tabStop]),
    initialOffset: Number.MAX_SAFE_INTEGER,
    overscan: 12,
    paddingStart: headHeight,
    paddingEnd: gap,
    scrollPaddingStart: gap,
    scrollPaddingEnd: gap,
    anchorTo: "end",
    // The last page of newer messages is loaded for reading on: it must not carry the reader to its end.
    followOnAppend: !hasNewer && !hadNewer.current,
    scrollEndThreshold: endThreshold,
  });
  // The default would move the row being read in two cases: when the row that was first loses its author's name as
  // older rows come above it, and when such a row comes to stand where the head was and its real height gets known.
  virtualizer.shouldAdjustScrollPositionOnItemSizeChange = (item, _delta, { scrollOffset }) =>
    item.key === formerFirstKey.current || item.start < (scrollOffset ?? 0) + headHeight;

  useLayoutEffect(() => {
    if (items[0]?.key !== firstKey.current) {
      formerFirstKey.current = firstKey.current;
      firstKey.current = items[0]?.key;
    }
    hadNewer.current = hasNewer;
    if (wantsEnd.current) {
      virtualizer.scrollToEnd();
      wantsEnd.current = hasNewer;
    }
  }, [items, hasNewer, virtualizer]);

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const distanceFromEnd = element.scrollHeight - element.scrollTop - element.clientHeight;
    setIsAtBottom(distanceFromEnd <= endThreshold);
    if (element.scrollTop < loadDistance && timeline.hasOlder) void timeline.loadOlder();
    if (distanceFromEnd < loadDistance && timeline.hasNewer) void timeline.loadNewer();
  }, [timeline]);

  // A page may be too short to be scrolled. A page that fails is not asked for again by itself.
  useEffect(onScroll, [items]);

  // A growing input, a keyboard on the screen or a narrower window leave the reader at the end.
  const stayAtEnd = useEffectEvent(() => isAtBottom && virtualizer.scrollToEnd());
  useEffect(() => {
    if (scroller.current === null) return;
    const observer = new ResizeObserver(stayAtEnd);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);

  async function goToEnd() {
    wantsEnd.current = true;
    if (hasNewer) await timeline.jumpToPresent();
    else virtualizer.scrollToEnd();
  }

  return { scroller, virtualizer, isAtEnd: isAtBottom && !hasNewer, onScroll, goToEnd };
}

/** The row that is a tab stop stays mounted wherever the reader scrolls, so the focus is not lost. */
function rangeWith(tabStop: number, range: Range): number[] {
  const indexes = defaultRangeExtractor(range);
  if (tabStop < 0 || tabStop >= range.count || indexes.includes(tabStop)) return indexes;
  return [...indexes, tabStop].sort((one, other) => one - other);
}
