import { expect, test } from "vitest";
import type { OutboxEntry } from "../outbox/outbox";
import type { Note } from "../presence/notes";
import { type Message, timelineItems } from "./items";

const moment = (second: number) => `2026-11-24T10:00:${String(second).padStart(2, "0")}.000000Z`;

function message(
  second: number,
  senderId = "user:2",
  clientMessageId: string | null = null,
): Message {
  return {
    __typename: "Message",
    id: `message:${second}`,
    clientMessageId,
    sentAt: moment(second),
    sender: { __typename: "User", id: senderId },
  };
}

function entry(clientMessageId: string): OutboxEntry {
  return { clientMessageId, roomId: "room:0", text: "", createdAt: moment(50), state: "queued" };
}

function note(after: number): Note {
  return {
    key: `note:${after}`,
    at: moment(59),
    username: "Joe",
    online: true,
    after: moment(after),
  };
}

const keys = (sources: Partial<Parameters<typeof timelineItems>[0]>) =>
  timelineItems({
    messages: [message(1), message(2), message(3)],
    hasOlder: false,
    hasNewer: false,
    unsent: [],
    notes: [],
    viewerId: "user:1",
    ...sources,
  }).map(({ kind, key }) => `${kind} ${key}`);

const confirmed = ["message message:1", "message message:2", "message message:3"];

test("unsent messages follow the confirmed ones, in the order in which they were written", () => {
  expect(keys({ unsent: [entry("b"), entry("a")] })).toEqual([
    ...confirmed,
    "pending b",
    "pending a",
  ]);
});

test("a message that is confirmed takes the place and the key of its entry", () => {
  const messages = [message(1), message(2, "user:1", "a")];
  expect(keys({ messages, unsent: [entry("a"), entry("b")] })).toEqual([
    "message message:1",
    "message a",
    "pending b",
  ]);
});

test("another sender's id is no confirmation", () => {
  const messages = [message(1, "user:2", "a")];
  expect(keys({ messages, unsent: [entry("a")] })).toEqual(["message message:1", "pending a"]);
});

test("what is not sent does not show far back in history", () => {
  expect(keys({ hasNewer: true, unsent: [entry("a")], notes: [note(3)] })).toEqual(confirmed);
});

test("notes stand where they happened, by the server's clock and not by the device's", () => {
  expect(keys({ notes: [note(0), note(2), note(3)], unsent: [entry("a")] })).toEqual([
    "note note:0",
    "message message:1",
    "message message:2",
    "note note:2",
    "message message:3",
    "note note:3",
    "pending a",
  ]);
});

test("notes older than what is loaded do not show", () => {
  expect(keys({ hasOlder: true, notes: [note(0), note(1)] })).toEqual([
    "message message:1",
    "note note:1",
    "message message:2",
    "message message:3",
  ]);
});
