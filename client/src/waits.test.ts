import { beforeEach, describe, expect, test, vi } from "vitest";
import { backoff, backoffAfter, createWaits } from "./waits";

beforeEach(() => {
  vi.useFakeTimers();
});

describe("a pause", () => {
  test("lasts its time", async () => {
    const done = vi.fn();
    void createWaits().pause(1_000).then(done);
    await vi.advanceTimersByTimeAsync(999);
    expect(done).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalled();
  });

  test("ends when there is hope, and when nobody waits any more", async () => {
    const waits = createWaits();
    const stop = new AbortController();
    const done = vi.fn();
    void waits.pause(60_000).then(() => done("woken"));
    void waits.pause(60_000, stop.signal).then(() => done("stopped"));
    stop.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(done.mock.calls).toEqual([["stopped"]]);
    waits.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(done.mock.calls).toEqual([["stopped"], ["woken"]]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("attempts get rarer, to a limit, and are spread", () => {
  const random = vi.spyOn(Math, "random").mockReturnValue(1);
  expect([0, 1, 2, 3, 4, 50].map(backoff)).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  random.mockReturnValue(0.25);
  expect(backoff(1)).toBe(500);
  expect(backoffAfter({ code: "RATE_LIMITED", message: "", retryAfter: 7 }, 1)).toBe(7_500);
  expect(backoffAfter({ code: "UNREACHABLE", message: "" }, 1)).toBe(500);
});
