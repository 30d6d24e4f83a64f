import type { ApolloClient } from "@apollo/client";
import { type Failure, toFailure } from "../../failure";
import { backoff, type Waits } from "../../waits";
import type { StreamEvent } from "./applyEvents";
import { EVENTS } from "./events";

/** Thousands of events may come at once after a break: those of so many milliseconds are shown together. */
const TOGETHER = 50;

export interface StreamListener {
  /** Events that came close together, in order. */
  arrived(events: readonly StreamEvent[]): void;
  /** The server cannot resume: the page's data has to be loaded again. */
  expired(): void;
}

/**
 * The one subscription of the page, held open for ever. When the socket is lost, graphql-ws resumes it;
 * when the server ends it with an error, it is begun again here.
 *
 * @returns how to end it.
 */
export function openStream(
  client: ApolloClient,
  position: { cursor: string },
  waits: Waits,
  listener: StreamListener,
): () => void {
  const stop = new AbortController();
  let waiting: StreamEvent[] = [];
  let lastDelivery = Number.NEGATIVE_INFINITY;
  let attempt = 0;

  function deliver(): void {
    if (stop.signal.aborted) return;
    lastDelivery = performance.now();
    const events = waiting;
    waiting = [];
    listener.arrived(events);
  }

  function receive(event: StreamEvent): void {
    attempt = 0;
    if (waiting.length === 0) setTimeout(deliver, lastDelivery + TOGETHER - performance.now());
    waiting.push(event);
    position.cursor = event.cursor ?? position.cursor;
  }

  async function subscribe(): Promise<void> {
    while (!stop.signal.aborted) {
      const failure = await subscribeOnce();
      if (failure?.code === "CURSOR_EXPIRED") return listener.expired();
      await waits.pause(backoff(attempt++), stop.signal);
    }
  }

  /** Resolves when the subscription has ended, with why. */
  function subscribeOnce(): Promise<Failure | null> {
    return new Promise((resolve) => {
      const subscription = client
        .subscribe({
          query: EVENTS,
          variables: { after: position.cursor },
          fetchPolicy: "no-cache",
        })
        .subscribe({
          next({ data, error }) {
            if (error) resolve(toFailure(error));
            else if (data) receive(data.events);
          },
          error: (error) => resolve(toFailure(error)),
          complete: () => resolve(null),
        });
      stop.signal.addEventListener("abort", () => subscription.unsubscribe());
    });
  }

  void subscribe();
  return () => stop.abort();
}
