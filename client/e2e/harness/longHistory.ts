import type { Said } from "./seed";

const lengths = [3, 12, 1, 30, 7, 1, 18, 60, 5, 2];

/** A room in which much was said, by everybody, in texts of all lengths; the last one an hour ago. */
export function longHistory(count: number): Said[] {
  const end = Math.floor(Date.now() / 1000) - 3_600;
  return Array.from({ length: count }, (_, index) => ({
    from: String((Math.floor(index / 3) % 4) + 1),
    date: end - (count - 1 - index) * 40,
    message: textOf(index),
    roomId: "0",
  }));
}

/** The text of the message with this number, from 0. */
export function textOf(index: number): string {
  return `#${index}${" word".repeat(lengths[index % lengths.length] ?? 1)}`;
}
