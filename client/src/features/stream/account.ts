import type { Waits } from "../../waits";
import { type Drafts, openDrafts } from "../composer/drafts";
import { type Outbox, type OutboxEntry, openOutbox } from "../outbox/outbox";
import { calledName } from "../people/calledName";
import { createNotes, type Notes } from "../presence/notes";
import { openReads, type Reads } from "../rooms/reads";
import type { Viewer } from "../session/session";
import type { NewEdge, StreamEvent } from "./applyEvents";

/** What a user has in this browser beside what the server knows. */
export interface Account {
  readonly viewer: Viewer;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly reads: Reads;
  readonly notes: Notes;
  /** These events are new, and the cache has them already. */
  follow(events: readonly StreamEvent[]): void;
  close(): void;
}

interface Surroundings {
  viewer: Viewer;
  /** The moment of the newest message there is, by the server's clock. */
  newest: string;
  waits: Waits;
  transmit(entry: OutboxEntry, signal: AbortSignal): Promise<NewEdge>;
  show(edge: NewEdge): void;
}

export function openAccount({ viewer, newest, waits, transmit, show }: Surroundings): Account {
  const outbox = openOutbox({ userId: viewer.id, waits, transmit, show });
  const drafts = openDrafts(viewer.id);
  const reads = openReads(viewer.id, newest);
  const notes = createNotes();
  let newestSentAt = newest;

  function followMessage(edge: NewEdge): void {
    const { sender, room, sentAt } = edge.node;
    if (sentAt > newestSentAt) newestSentAt = sentAt;
    if (sender.id === viewer.id) outbox.confirm(edge);
    else reads.arrived(room.id, sentAt);
  }

  return {
    viewer,
    outbox,
    drafts,
    reads,
    notes,
    follow(events) {
      for (const event of events) {
        if (event.__typename === "MessageAdded") followMessage(event.edge);
        if (event.__typename === "PresenceChanged" && event.user.id !== viewer.id) {
          notes.add(calledName(event.user), event.user.online, newestSentAt);
        }
      }
    },
    close() {
      outbox.close();
      drafts.texts.close();
      reads.marks.close();
    },
  };
}
