import { act, cleanup, render } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { dayName } from "./clock";
import { useToday } from "./useToday";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test("at midnight today becomes yesterday, and nothing renders before", () => {
  vi.useFakeTimers({ now: new Date(2026, 10, 24, 23, 50) });
  const sentAt = new Date().toISOString();
  const seen: string[] = [];
  function Day() {
    seen.push(dayName(sentAt, useToday()));
    return null;
  }
  render(<Day />);
  act(() => void vi.advanceTimersByTime(9 * 60_000));
  expect(seen).toEqual(["Today"]);
  act(() => void vi.advanceTimersByTime(2 * 60_000));
  expect(seen).toEqual(["Today", "Yesterday"]);
});
