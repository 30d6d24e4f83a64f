import { momentOf, type TimelineItem } from "./items";

/** What decides where an item stands; `authorId` is null for notes. */
export interface Placeable {
  key: string;
  at: string;
  authorId: string | null;
}

export interface Placement {
  /** The first item of its day: a date goes above it. */
  startsDay: boolean;
  /** The first of an unbroken run by one author: the name goes above it. */
  startsGroup: boolean;
  endsGroup: boolean;
}

export function placeable(item: TimelineItem, viewerId: string): Placeable {
  return { key: item.key, at: momentOf(item), authorId: authorOf(item, viewerId) };
}

function authorOf(item: TimelineItem, viewerId: string): string | null {
  switch (item.kind) {
    case "message":
      return item.senderId;
    case "pending":
      return viewerId;
    case "note":
      return null;
  }
}

const groupMilliseconds = 5 * 60_000;

/**
 * Where each item stands among its neighbours.
 * Before the first item of an incomplete timeline may come more of the same day, so it gets no date.
 * Clocks of servers differ: a date is shown only when the days go forward, never back.
 */
export function placements(items: readonly Placeable[], isComplete: boolean): Placement[] {
  let newestDay = Number.NEGATIVE_INFINITY;
  const startsDay = items.map((item, index) => {
    const day = startOfDay(item.at);
    const starts = index === 0 ? isComplete : day > newestDay;
    newestDay = Math.max(newestDay, day);
    return starts;
  });
  const startsGroup = items.map((item, index) => {
    const previous = items[index - 1];
    return previous === undefined || startsDay[index] === true || !continuesGroup(previous, item);
  });
  return items.map((_, index) => ({
    startsDay: startsDay[index] ?? false,
    startsGroup: startsGroup[index] ?? true,
    endsGroup: startsGroup[index + 1] ?? true,
  }));
}

function continuesGroup(previous: Placeable, item: Placeable): boolean {
  return (
    item.authorId !== null &&
    item.authorId === previous.authorId &&
    Math.abs(Date.parse(item.at) - Date.parse(previous.at)) <= groupMilliseconds
  );
}

function startOfDay(at: string): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** How many messages of others stand after the item last seen at the end; none while that is unknown. */
export function countUnseen(
  items: readonly Placeable[],
  lastSeenKey: string | null,
  viewerId: string,
): number {
  const seen = items.findLastIndex((item) => item.key === lastSeenKey);
  if (seen === -1) return 0;
  return items
    .slice(seen + 1)
    .filter((item) => item.authorId !== null && item.authorId !== viewerId).length;
}
