import { type Failure, isPassing, toFailure } from "../../failure";
import { createStore, type Store } from "../../store";
import { backoffAfter, type Waits } from "../../waits";
import type { NewEdge } from "../stream/applyEvents";
import { takeTurns } from "./leadership";
import { type Change, type Entries, openOutboxStorage } from "./storage";

/**
 * A message that is not confirmed yet. Queued, sending and failed ones go out by themselves, in the
 * order in which they were written; a rejected one waits for its author to retry or discard it.
 */
export interface OutboxEntry {
  clientMessageId: string;
  roomId: string;
  text: string;
  createdAt: string;
  state: "queued" | "sending" | "failed" | "rejected";
  failure?: Failure;
}

export interface Outbox {
  readonly entries: Pick<Store<Entries>, "get" | "subscribe">;
  /** Resolves when the message outlives the page. */
  send(roomId: string, text: string): Promise<void>;
  retry(clientMessageId: string): void;
  discard(clientMessageId: string): void;
  /** The server has the message, by whatever way one hears of it. */
  confirm(edge: NewEdge): void;
  close(): void;
}

interface Surroundings {
  userId: string;
  waits: Waits;
  /** Resolves with the confirmed message. The same entry may be transmitted any number of times. */
  transmit(entry: OutboxEntry, signal: AbortSignal): Promise<NewEdge>;
  /** Shows a confirmed message; called before its entry goes, so that one of the two is always to be seen. */
  show(edge: NewEdge): void;
}

type News = { confirmed: NewEdge } | { changed: true };

/** The server knows an id for seven days; after that a repeated send would be a second message. */
const LONGEST = 6 * 24 * 3_600_000;
/** The server's own faults pass, or they do not. */
const INTERNAL_ATTEMPTS = 5;

/**
 * The messages that are on their way. They are kept before they are sent, and kept until they are
 * confirmed, and each goes out with its one id: whenever the page or the server dies in between, the
 * message is sent again, and is one message.
 */
export function openOutbox({ userId, waits, transmit, show }: Surroundings): Outbox {
  const storage = openOutboxStorage(userId);
  const name = `parley:outbox:${userId}`;
  const otherTabs = new BroadcastChannel(name);
  const entries = createStore<Entries>([]);

  let kept: Entries = [];
  /** Changes on their way to the storage. */
  const changes: Change[] = [];
  /** How the sending of an entry goes; of interest only while it goes on. */
  const progress = new Map<string, Pick<OutboxEntry, "state" | "failure">>();
  const roomsBusy = new Set<string>();
  let leading: AbortSignal | null = null;
  let isClosed = false;

  function display(): void {
    const current = changes.reduce<Entries>((list, change) => change(list), kept);
    entries.set(current.map((entry) => ({ ...entry, ...progress.get(entry.clientMessageId) })));
  }

  async function change(next: Change): Promise<void> {
    changes.push(next);
    display();
    kept = await storage.update(next);
    changes.splice(changes.indexOf(next), 1);
    tell({ changed: true });
    display();
    sendNext();
  }

  async function reload(): Promise<void> {
    kept = await storage.read();
    display();
    sendNext();
  }

  function tell(news: News): void {
    if (!isClosed) otherTabs.postMessage(news);
  }

  function sendNext(): void {
    if (!leading || leading.aborted) return;
    for (const { roomId } of kept) {
      if (!roomsBusy.has(roomId) && nextIn(roomId)) void sendAll(roomId, leading);
    }
  }

  /** One message of a room after the other. */
  async function sendAll(roomId: string, signal: AbortSignal): Promise<void> {
    roomsBusy.add(roomId);
    try {
      for (let entry = nextIn(roomId); entry && !signal.aborted; entry = nextIn(roomId)) {
        await settle(entry, signal);
      }
    } finally {
      roomsBusy.delete(roomId);
    }
    sendNext(); // This tab may have stepped down and be leading again.
  }

  function nextIn(roomId: string): OutboxEntry | undefined {
    return kept.find(
      (entry) =>
        entry.roomId === roomId && entry.state !== "rejected" && isWanted(entry.clientMessageId),
    );
  }

  /** Tries until the message is confirmed, rejected, discarded, or the signal aborts. */
  async function settle(entry: OutboxEntry, signal: AbortSignal): Promise<void> {
    const { clientMessageId } = entry;
    for (let attempt = 0; ; attempt++) {
      if (Date.now() - Date.parse(entry.createdAt) > LONGEST) {
        return reject(clientMessageId, {
          code: "TOO_OLD",
          message: "It could not be sent for days.",
        });
      }
      report(clientMessageId, { state: "sending" });
      const failure = await transmit(entry, signal).then(confirm, toFailure);
      if (!failure) return;
      if (signal.aborted || !isWanted(clientMessageId)) return forget(clientMessageId);
      if (!isWorthRepeating(failure, attempt)) return reject(clientMessageId, failure);
      report(clientMessageId, { state: "failed", failure });
      await waits.pause(backoffAfter(failure, attempt), signal);
      if (signal.aborted || !isWanted(clientMessageId)) return forget(clientMessageId);
    }
  }

  function report(clientMessageId: string, how: Pick<OutboxEntry, "state" | "failure">): void {
    progress.set(clientMessageId, how);
    display();
  }

  function forget(clientMessageId: string): void {
    progress.delete(clientMessageId);
    display();
  }

  /** Neither confirmed nor discarded, even if the storage does not know that yet. */
  function isWanted(clientMessageId: string): boolean {
    return entries.get().some((entry) => entry.clientMessageId === clientMessageId);
  }

  function reject(clientMessageId: string, failure: Failure): Promise<void> {
    progress.delete(clientMessageId);
    return change(update(clientMessageId, (entry) => ({ ...entry, state: "rejected", failure })));
  }

  async function confirm(edge: NewEdge): Promise<void> {
    const { clientMessageId } = edge.node;
    if (clientMessageId === null) return;
    show(edge);
    if (!isWanted(clientMessageId)) return;
    tell({ confirmed: edge });
    progress.delete(clientMessageId);
    await change(without(clientMessageId));
  }

  otherTabs.onmessage = ({ data }: MessageEvent<News>) => {
    if ("confirmed" in data) show(data.confirmed);
    else void reload();
  };

  const stepDown = takeTurns(name, (signal) => {
    leading = signal;
    sendNext();
  });
  void reload();

  return {
    entries,
    send(roomId, text) {
      const entry: OutboxEntry = {
        clientMessageId: newId(),
        roomId,
        text,
        createdAt: new Date().toISOString(),
        state: "queued",
      };
      return change((list) => [...list, entry]);
    },
    retry(clientMessageId) {
      const createdAt = new Date().toISOString();
      void change(
        update(clientMessageId, ({ failure: _, ...entry }) => ({
          ...entry,
          createdAt,
          state: "queued",
        })),
      );
      waits.wake();
    },
    discard(clientMessageId) {
      progress.delete(clientMessageId);
      void change(without(clientMessageId));
      waits.wake();
    },
    confirm: (edge) => void confirm(edge),
    close() {
      isClosed = true;
      stepDown();
      otherTabs.close();
    },
  };
}

function isWorthRepeating(failure: Failure, attempt: number): boolean {
  if (failure.code === "INTERNAL_SERVER_ERROR") return attempt + 1 < INTERNAL_ATTEMPTS;
  // The session is over: it goes out after the next log-in.
  return isPassing(failure) || failure.code === "UNAUTHENTICATED";
}

function update(clientMessageId: string, next: (entry: OutboxEntry) => OutboxEntry): Change {
  return (list) =>
    list.map((entry) => (entry.clientMessageId === clientMessageId ? next(entry) : entry));
}

function without(clientMessageId: string): Change {
  return (list) => list.filter((entry) => entry.clientMessageId !== clientMessageId);
}

/** `crypto.randomUUID` is missing on pages without TLS. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
