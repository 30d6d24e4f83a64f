import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ChatServer, type FakeSocket, socketClass } from "../testing/server";
import { createWaits } from "../waits";
import { createSocket } from "./socket";

let server: ChatServer;
let isReachable: boolean;
let happened: string[];
let waits: ReturnType<typeof createWaits>;
let unsubscribe: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  server = new ChatServer();
  isReachable = true;
  happened = [];
  waits = createWaits();
});

/** Opens a socket with a subscription, through a kind of `WebSocket`. */
async function open(kind: unknown = socketClass(server, () => isReachable)): Promise<void> {
  vi.stubGlobal("WebSocket", kind);
  const socket = createSocket(waits, {
    opened: () => happened.push("opened"),
    closed: (code) => happened.push(`closed ${code}`),
  });
  const query = "subscription Events($after: String!) { events(after: $after) { cursor } }";
  const end = () => happened.push("over");
  const sink = { next() {}, error: end, complete() {} };
  unsubscribe = socket.subscribe({ query, variables: { after: "0" } }, sink);
  await vi.advanceTimersByTimeAsync(0);
}

afterEach(() => unsubscribe());

const only = (): FakeSocket => {
  const [socket] = server.sockets;
  if (!socket) throw new Error("There is no socket.");
  return socket;
};

describe("a socket", () => {
  test("is closed when nobody subscribes any more", async () => {
    await open();
    unsubscribe();
    await vi.advanceTimersByTimeAsync(0);
    expect(server.sockets.size).toBe(0);
  });

  test("that falls silent is noticed within ten seconds, and replaced", async () => {
    await open();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(happened).toEqual(["opened"]);
    only().isSilent = true;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(happened).toEqual(["opened", "closed 4499", "opened"]);
  });

  test("that does not open within ten seconds is given up for another", async () => {
    const made: unknown[] = [];
    class StuckSocket {
      static readonly OPEN = 1;
      static readonly CLOSING = 2;
      static readonly CLOSED = 3;
      static readonly CONNECTING = 0;
      readyState = 0;
      constructor() {
        made.push(this);
      }
      close() {}
    }
    await open(StuckSocket);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(happened).toEqual(["closed 4499"]);
    expect(made).toHaveLength(2);
  });

  test("reconnects for ever, and at once when woken", async () => {
    await open();
    isReachable = false;
    server.drop(1012);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(happened.length).toBeGreaterThan(30);
    isReachable = true;
    happened.length = 0;
    waits.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(happened).toEqual(["opened"]);
  });

  test.each([1001, 1006, 1012, 1013, 4499])("closed with %i comes back", async (code) => {
    await open();
    server.drop(code);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(happened).toEqual(["opened", `closed ${code}`, "opened"]);
  });

  test.each([4401, 4403])("closed with %i does not", async (code) => {
    await open();
    server.drop(code);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(happened).toEqual(["opened", `closed ${code}`, "over"]);
  });
});
