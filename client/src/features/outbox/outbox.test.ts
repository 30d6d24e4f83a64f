import { CombinedGraphQLErrors } from "@apollo/client/errors";
import { IDBFactory } from "fake-indexeddb";
import fc from "fast-check";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createLocks } from "../../testing/locks";
import { createWaits } from "../../waits";
import type { NewEdge } from "../stream/applyEvents";
import { type Outbox, type OutboxEntry, openOutbox } from "./outbox";

/** What the server does with a request. */
type Fate = "answered" | "request lost" | "answer lost" | "never answered";

/** A server that knows which ids it has, and takes a request as it is told to. */
class Server {
  readonly messages: { roomId: string; text: string; clientMessageId: string }[] = [];
  readonly requests: string[] = [];
  fates: Fate[] = [];

  readonly transmit = async (entry: OutboxEntry, signal: AbortSignal): Promise<NewEdge> => {
    this.requests.push(entry.text);
    const fate = this.fates.shift() ?? "answered";
    if (fate === "request lost") throw new TypeError("Failed to fetch");
    this.keep(entry);
    if (fate === "answer lost") throw new TypeError("Failed to fetch");
    if (fate === "never answered")
      await new Promise((_, reject) => signal.addEventListener("abort", reject));
    return edgeOf(entry);
  };

  keep({ roomId, text, clientMessageId }: OutboxEntry): void {
    const isKnown = this.messages.some((message) => message.clientMessageId === clientMessageId);
    if (!isKnown) this.messages.push({ roomId, text, clientMessageId });
  }

  texts(roomId = "room:0"): string[] {
    return this.messages.filter((message) => message.roomId === roomId).map(({ text }) => text);
  }
}

function edgeOf({ clientMessageId, roomId, text, createdAt }: OutboxEntry): NewEdge {
  return {
    __typename: "MessageEdge",
    cursor: clientMessageId,
    node: {
      __typename: "Message",
      id: `message:${clientMessageId}`,
      text,
      clientMessageId,
      sentAt: createdAt,
      room: { __typename: "Room", id: roomId },
      sender: {
        __typename: "User",
        id: "user:1",
        username: "Pablo",
        isBot: false,
        online: true,
        lastSeenAt: null,
      },
    },
  };
}

function graphQLError(code: string, extensions: object = {}): CombinedGraphQLErrors {
  return new CombinedGraphQLErrors({
    errors: [{ message: code, extensions: { code, ...extensions } }],
  });
}

let users = 0;
let server: Server;
let userId: string;

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  vi.spyOn(Math, "random").mockReturnValue(0); // No wait between attempts.
  server = new Server();
  userId = `user:${++users}`;
});

function open(transmit = server.transmit, waits = createWaits()) {
  const shown: string[] = [];
  const outbox = openOutbox({
    userId,
    waits,
    transmit,
    show: (edge) => shown.push(edge.node.text),
  });
  onTestFinished(() => outbox.close());
  return Object.assign(outbox, { shown });
}

const stateOf = (outbox: Outbox) =>
  outbox.entries.get().map(({ text, state }) => `${text} ${state}`);
const settled = (outbox: Outbox) => vi.waitFor(() => expect(outbox.entries.get()).toEqual([]));
const idOf = (outbox: Outbox, text: string) =>
  outbox.entries.get().find((entry) => entry.text === text)?.clientMessageId ?? "";

describe("a message", () => {
  test("shows at once, and goes when it is confirmed", async () => {
    const outbox = open();
    outbox.send("room:0", "hi");
    expect(stateOf(outbox)).toEqual(["hi queued"]);
    await settled(outbox);
    expect(server.texts()).toEqual(["hi"]);
    expect(outbox.shown).toEqual(["hi"]);
  });

  test("goes when its event comes before the answer, and is not sent again", async () => {
    server.fates = ["never answered"];
    const outbox = open();
    outbox.send("room:0", "hi");
    await vi.waitFor(() => expect(stateOf(outbox)).toEqual(["hi sending"]));
    const [entry] = outbox.entries.get();
    if (!entry) throw new Error("There is an entry.");
    outbox.confirm(edgeOf(entry));
    expect(outbox.entries.get()).toEqual([]);
    expect(server.requests).toEqual(["hi"]);
  });

  test("is shown confirmed before it leaves the outbox", async () => {
    const seen: string[] = [];
    const outbox = open();
    outbox.entries.subscribe(() =>
      seen.push(`${outbox.entries.get().length} unsent, ${outbox.shown.length} sent`),
    );
    outbox.send("room:0", "hi");
    await settled(outbox);
    expect(seen).not.toContain("0 unsent, 0 sent");
    expect(seen.at(-1)).toBe("0 unsent, 1 sent");
  });

  test("goes out with the same id however often it is sent", async () => {
    server.fates = ["request lost", "answer lost", "answer lost"];
    const outbox = open();
    outbox.send("room:0", "hi");
    await settled(outbox);
    expect(server.requests).toEqual(["hi", "hi", "hi", "hi"]);
    expect(server.texts()).toEqual(["hi"]);
  });

  test.each(["UNAVAILABLE", "RATE_LIMITED", "INTERNAL_SERVER_ERROR"])(
    "is sent again after %s",
    async (code) => {
      const transmit = vi.fn(server.transmit).mockRejectedValueOnce(graphQLError(code));
      const outbox = open(transmit);
      outbox.send("room:0", "hi");
      await settled(outbox);
      expect(transmit).toHaveBeenCalledTimes(2);
    },
  );

  test("waits as long as a server that is asked too much says", async () => {
    const waits = createWaits();
    const pause = vi.spyOn(waits, "pause");
    const transmit = vi
      .fn(server.transmit)
      .mockRejectedValueOnce(graphQLError("RATE_LIMITED", { retryAfter: 7 }));
    const outbox = open(transmit, waits);
    outbox.send("room:0", "hi");
    await vi.waitFor(() => expect(pause).toHaveBeenCalled());
    expect(pause.mock.calls[0]?.[0]).toBe(7_000);
    expect(outbox.entries.get()).toMatchObject([
      { state: "failed", failure: { code: "RATE_LIMITED" } },
    ]);
    waits.wake();
    await settled(outbox);
  });

  test("that the server does not want stays with the reason; others go on; it can be sent again", async () => {
    const transmit = vi
      .fn(server.transmit)
      .mockRejectedValueOnce(graphQLError("BAD_USER_INPUT", { field: "input.text" }));
    const outbox = open(transmit);
    outbox.send("room:0", "bad");
    outbox.send("room:0", "good");
    await vi.waitFor(() => expect(server.texts()).toEqual(["good"]));
    await vi.waitFor(() =>
      expect(outbox.entries.get()).toMatchObject([
        {
          text: "bad",
          state: "rejected",
          failure: { code: "BAD_USER_INPUT", field: "input.text" },
        },
      ]),
    );
    outbox.retry(idOf(outbox, "bad"));
    await settled(outbox);
    expect(server.texts()).toEqual(["good", "bad"]);
  });

  test("that the server fails at is given back after some attempts", async () => {
    const outbox = open(vi.fn().mockRejectedValue(graphQLError("INTERNAL_SERVER_ERROR")));
    outbox.send("room:0", "hi");
    await vi.waitFor(() => expect(stateOf(outbox)).toEqual(["hi rejected"]));
  });

  test("can be discarded while it cannot be sent, and the next one follows", async () => {
    const outbox = open(async (entry, signal) => {
      if (entry.text === "never") throw new TypeError("Failed to fetch");
      return server.transmit(entry, signal);
    });
    outbox.send("room:0", "never");
    outbox.send("room:0", "later");
    await vi.waitFor(() => expect(stateOf(outbox)[0]).toBe("never failed"));
    outbox.discard(idOf(outbox, "never"));
    await settled(outbox);
    expect(server.texts()).toEqual(["later"]);
  });

  test("of another week is not sent without asking", async () => {
    const hanging = open(() => new Promise(() => {}));
    hanging.send("room:0", "old");
    await vi.waitFor(() => expect(stateOf(hanging)).toEqual(["old sending"]));
    hanging.close();
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 8 * 24 * 3_600_000);
    const outbox = open();
    await vi.waitFor(() => expect(stateOf(outbox)).toEqual(["old rejected"]));
    expect(server.requests).toEqual([]);
  });
});

describe("order", () => {
  test("one at a time in a room, and no room waits for another", async () => {
    const outbox = open();
    server.fates = ["never answered"];
    outbox.send("room:0", "stuck");
    outbox.send("room:0", "behind");
    outbox.send("room:1:2", "elsewhere");
    await vi.waitFor(() => expect(server.texts("room:1:2")).toEqual(["elsewhere"]));
    expect(stateOf(outbox)).toEqual(["stuck sending", "behind queued"]);
  });
});

describe("whatever happens between a send and its answer", () => {
  const fate = fc.constantFrom<Fate>("answered", "request lost", "answer lost", "never answered");
  const visit = fc.record({
    sends: fc.array(fc.constantFrom("room:0", "room:1:2"), { maxLength: 4 }),
    fates: fc.array(fate, { maxLength: 6 }),
    /** The page dies after so many milliseconds. */
    lasts: fc.nat(12),
  });

  test("each message is sent once, in the order in which it was written", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(visit, { maxLength: 5 }), async (visits) => {
        server = new Server();
        userId = `user:${++users}`;
        const written: Record<string, string[]> = { "room:0": [], "room:1:2": [] };
        let count = 0;
        for (const { sends, fates, lasts } of visits) {
          server.fates = fates;
          const outbox = open();
          for (const roomId of sends) {
            const text = `${roomId} #${++count}`;
            outbox.send(roomId, text);
            written[roomId]?.push(text);
          }
          await new Promise((resolve) => setTimeout(resolve, lasts));
          outbox.close();
        }
        server.fates = [];
        const last = open();
        await vi.waitFor(() => expect(server.messages).toHaveLength(count));
        await settled(last);
        for (const [roomId, texts] of Object.entries(written)) {
          expect(server.texts(roomId)).toEqual(texts);
        }
        last.close();
      }),
      { numRuns: 40 },
    );
  }, 30_000);
});

describe("several tabs", () => {
  test("show the same, and one of them sends", async () => {
    vi.stubGlobal("navigator", { ...navigator, locks: createLocks() });
    const [first, second] = [open(), open()];
    server.fates = ["never answered"];
    first.send("room:0", "from the first");
    second.send("room:0", "from the second");
    const both = ["from the first", "from the second"];
    await vi.waitFor(() =>
      expect(
        first.entries
          .get()
          .map(({ text }) => text)
          .sort(),
      ).toEqual(both),
    );
    await vi.waitFor(() =>
      expect(
        second.entries
          .get()
          .map(({ text }) => text)
          .sort(),
      ).toEqual(both),
    );
    expect(server.requests).toHaveLength(1);
  });

  test("confirm for each other, and show the message before its entry goes", async () => {
    vi.stubGlobal("navigator", { ...navigator, locks: createLocks() });
    const [first, second] = [open(), open()];
    const seen: string[] = [];
    first.entries.subscribe(() =>
      seen.push(`${first.entries.get().length} unsent, ${first.shown.length} sent`),
    );
    first.send("room:0", "hi");
    await settled(first);
    await settled(second);
    expect(server.requests).toEqual(["hi"]);
    expect(second.shown).toEqual(["hi"]);
    expect(seen).not.toContain("0 unsent, 0 sent");
  });

  test("go on when the one that sends is closed", async () => {
    vi.stubGlobal("navigator", { ...navigator, locks: createLocks() });
    server.fates = ["never answered"];
    const [first, second] = [open(), open()];
    second.send("room:0", "hi");
    await vi.waitFor(() => expect(server.requests).toEqual(["hi"]));
    first.close();
    second.close();
    const third = open();
    await vi.waitFor(() => expect(server.requests).toEqual(["hi", "hi"]));
    await settled(third);
    expect(server.texts()).toEqual(["hi"]);
  });

  test("without a way to tell them apart make one message all the same", async () => {
    vi.stubGlobal("navigator", { ...navigator, locks: undefined });
    const [first, second] = [open(), open()];
    first.send("room:0", "hi");
    await settled(first);
    await settled(second);
    expect(server.texts()).toEqual(["hi"]);
  });
});

test("without a database messages are sent all the same", async () => {
  vi.stubGlobal("indexedDB", undefined);
  const outbox = open();
  outbox.send("room:0", "hi");
  await settled(outbox);
  expect(server.texts()).toEqual(["hi"]);
});

test("a database that fails keeps nobody from sending", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  vi.stubGlobal("indexedDB", {
    open() {
      throw new DOMException("Not here.", "InvalidStateError");
    },
  });
  const outbox = open();
  outbox.send("room:0", "hi");
  await settled(outbox);
  expect(server.texts()).toEqual(["hi"]);
  expect(warn).toHaveBeenCalledOnce();
});
