import { beforeEach, expect, test, vi } from "vitest";
import { createConnection } from "./connection";

let online: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  online = true;
  vi.spyOn(navigator, "onLine", "get").mockImplementation(() => online);
});

function goOnline(isOnline: boolean) {
  online = isOnline;
  window.dispatchEvent(new Event(isOnline ? "online" : "offline"));
}

test("a socket that comes back soon was never away", () => {
  const { state, setSocket } = createConnection();
  setSocket(false);
  vi.advanceTimersByTime(4_999);
  setSocket(true);
  vi.advanceTimersByTime(60_000);
  expect(state.get()).toBe("online");
});

test("five seconds without a socket are worth a word, however many attempts fail meanwhile", () => {
  const { state, setSocket } = createConnection();
  setSocket(false);
  vi.advanceTimersByTime(3_000);
  setSocket(false);
  vi.advanceTimersByTime(2_000);
  expect(state.get()).toBe("reconnecting");
  setSocket(true);
  expect(state.get()).toBe("online");
});

test("a device without network is offline at once", () => {
  const { state, watch } = createConnection();
  const stop = watch();
  goOnline(false);
  expect(state.get()).toBe("offline");
  goOnline(true);
  expect(state.get()).toBe("online");
  stop();
  goOnline(false);
  expect(state.get()).toBe("online"); // Nobody listens any more.
});

test("nobody who is logged out misses a socket", () => {
  const { state, setSocket, rest } = createConnection();
  setSocket(false);
  rest();
  vi.advanceTimersByTime(60_000);
  expect(state.get()).toBe("online");
});
