import fc from "fast-check";
import { expect, test } from "vitest";
import { countUnseen, type Placeable, placements } from "./placement";

const minute = 60_000;
const noon = new Date(2026, 10, 24, 12, 0).getTime();

function items(...entries: [authorId: string | null, offset: number][]): Placeable[] {
  return entries.map(([authorId, offset], index) => ({
    key: String(index),
    at: new Date(noon + offset).toISOString(),
    authorId,
  }));
}

test("messages of one author within five minutes are one group", () => {
  const placed = placements(
    items(["a", 0], ["a", 5 * minute], ["a", 10 * minute + 1], ["b", 11 * minute]),
    true,
  );
  expect(placed.map((item) => item.startsGroup)).toEqual([true, false, true, true]);
  expect(placed.map((item) => item.endsGroup)).toEqual([false, true, true, true]);
});

test("a note ends a group", () => {
  const placed = placements(items(["a", 0], [null, 0], [null, 0], ["a", 0]), true);
  expect(placed.map((item) => item.startsGroup)).toEqual([true, true, true, true]);
});

test("a new day starts with a date and a group", () => {
  const placed = placements(items(["a", 12 * 60 * minute - minute], ["a", 12 * 60 * minute]), true);
  expect(placed.map((item) => item.startsDay)).toEqual([true, true]);
  expect(placed.map((item) => item.startsGroup)).toEqual([true, true]);
});

test("the first item has no date while older ones may follow above it", () => {
  expect(placements(items(["a", 0]), false)[0]?.startsDay).toBe(false);
  expect(placements(items(["a", 0]), true)[0]?.startsDay).toBe(true);
});

const anyItems = fc.array(
  fc.record({
    key: fc.uuid(),
    at: fc
      .integer({ min: -72 * 60, max: 72 * 60 })
      .map((offset) => new Date(noon + offset * minute).toISOString()),
    authorId: fc.constantFrom("a", "b", null),
  }),
);

test("dates only go forward, whatever the clocks say", () => {
  fc.assert(
    fc.property(anyItems, fc.boolean(), (list, isComplete) => {
      const days = placements(list, isComplete).flatMap(({ startsDay }, index) =>
        startsDay ? [new Date(list[index]?.at ?? "").setHours(0, 0, 0, 0)] : [],
      );
      expect(days).toEqual([...new Set(days)].sort((one, other) => one - other));
    }),
  );
});

test("a group ends just before the next one starts, and has one author", () => {
  fc.assert(
    fc.property(anyItems, (list) => {
      const placed = placements(list, true);
      placed.forEach((item, index) => {
        const next = placed[index + 1];
        expect(item.endsGroup).toBe(next === undefined || next.startsGroup);
        if (!item.startsGroup) expect(list[index]?.authorId).toBe(list[index - 1]?.authorId);
      });
    }),
  );
});

test("loading older items changes nothing but the place of the item that was first", () => {
  fc.assert(
    fc.property(anyItems, fc.nat(), (unsorted, cut) => {
      const list = [...unsorted].sort((one, other) => one.at.localeCompare(other.at));
      const from = list.length === 0 ? 0 : cut % list.length;
      const before = placements(list.slice(from), false);
      const after = placements(list, true).slice(from);
      expect(after.slice(1)).toEqual(before.slice(1));
    }),
  );
});

test("unseen are the messages of others after the one last seen", () => {
  const list = items(["me", 0], ["a", 1], ["me", 2], [null, 3], ["b", 4]);
  expect(countUnseen(list, "0", "me")).toBe(2);
  expect(countUnseen(list, "4", "me")).toBe(0);
  expect(countUnseen(list, "gone", "me")).toBe(0);
});
