import { beforeEach, expect, onTestFinished, test } from "vitest";
import { countUnread, openReads } from "./reads";

const moment = (second: number) => `2026-11-24T10:00:${String(second).padStart(2, "0")}.000000Z`;

beforeEach(() => localStorage.clear());

function open(newestAtFirst: string) {
  const reads = openReads("user:1", newestAtFirst);
  onTestFinished(() => reads.marks.close());
  const unread = (newestOfOthers: string | null) =>
    countUnread("room:0", reads.marks.get(), reads.arrivals.get(), newestOfOthers);
  return { ...reads, unread };
}

test("what was there before this browser was used is read", () => {
  expect(open(moment(9)).unread(moment(9))).toBe(0);
});

test("arrivals count until the room is read", () => {
  const { arrived, mark, unread } = open(moment(1));
  arrived("room:0", moment(2));
  arrived("room:0", moment(3));
  arrived("room:1:2", moment(4));
  expect(unread(moment(3))).toBe(2);
  mark("room:0", moment(2));
  expect(unread(moment(3))).toBe(1);
  mark("room:0", moment(3));
  expect(unread(moment(3))).toBe(0);
});

test("what came while the page was closed makes one", () => {
  open(moment(1)).mark("room:0", moment(2));
  const later = open(moment(8));
  expect(later.unread(moment(8))).toBe(1);
  expect(later.unread(moment(2))).toBe(0);
  expect(later.unread(null)).toBe(0); // The newest is one's own.
});

test("a mark does not go back", () => {
  const { mark, marks } = open(moment(1));
  mark("room:0", moment(5));
  mark("room:0", moment(4));
  expect(marks.get().rooms).toEqual({ "room:0": moment(5) });
});
