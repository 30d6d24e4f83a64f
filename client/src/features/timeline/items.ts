import type { Timeline_RoomFragment } from "../../gql/graphql";
import type { OutboxEntry } from "../outbox/outbox";
import type { Note } from "../presence/notes";

export type Message = Timeline_RoomFragment["messages"]["edges"][number]["node"];

export type TimelineItem =
  | { kind: "message"; key: string; message: Message; sentAt: string; senderId: string }
  | { kind: "pending"; key: string; entry: OutboxEntry }
  | { kind: "note"; key: string; at: string; username: string; online: boolean };

interface Sources {
  messages: readonly Message[];
  hasOlder: boolean;
  hasNewer: boolean;
  /** The unsent messages of the room. */
  unsent: readonly OutboxEntry[];
  notes: readonly Note[];
  viewerId: string;
}

/** What a reader sees of a room: its messages, who came and went among them, and what is not sent yet. */
export function timelineItems(sources: Sources): TimelineItem[] {
  const { messages, hasNewer, unsent, viewerId } = sources;
  const items = withNotes(
    messages.map((message) => itemOf(message, viewerId)),
    sources,
  );
  if (hasNewer) return items;
  const confirmed = new Set(items.map(({ key }) => key));
  const pending = unsent.filter(({ clientMessageId }) => !confirmed.has(clientMessageId));
  return [...items, ...pending.map(pendingItem)];
}

type MessageItem = Extract<TimelineItem, { kind: "message" }>;

/** A message keeps the key that it had while it was unsent. Such ids are unique among those of one sender only. */
function itemOf(message: Message, viewerId: string): MessageItem {
  const { id, clientMessageId, sentAt, sender } = message;
  const key = sender.id === viewerId && clientMessageId !== null ? clientMessageId : id;
  return { kind: "message", key, message, sentAt, senderId: sender.id };
}

function pendingItem(entry: OutboxEntry): TimelineItem {
  return { kind: "pending", key: entry.clientMessageId, entry };
}

function withNotes(
  messages: readonly MessageItem[],
  { notes, hasOlder, hasNewer }: Sources,
): TimelineItem[] {
  const oldest = hasOlder ? (messages[0]?.sentAt ?? "") : "";
  const waiting = notes.filter(({ after }) => after >= oldest);
  const items: TimelineItem[] = [];
  for (const message of messages) {
    while (waiting[0] && waiting[0].after < message.sentAt)
      items.push(...waiting.splice(0, 1).map(noteItem));
    items.push(message);
  }
  return hasNewer ? items : [...items, ...waiting.map(noteItem)];
}

function noteItem({ key, at, username, online }: Note): TimelineItem {
  return { kind: "note", key, at, username, online };
}

export function momentOf(item: TimelineItem): string {
  switch (item.kind) {
    case "message":
      return item.sentAt;
    case "pending":
      return item.entry.createdAt;
    case "note":
      return item.at;
  }
}

/** Items are made anew whenever the room changes; most of them show the same as before. */
export function showTheSame(one: TimelineItem, other: TimelineItem): boolean {
  if (one.kind === "message" && other.kind === "message") return one.message === other.message;
  if (one.kind === "pending" && other.kind === "pending") return one.entry === other.entry;
  return one.kind === "note" && other.kind === "note" && one.key === other.key;
}
