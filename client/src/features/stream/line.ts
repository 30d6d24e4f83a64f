import type { ApolloClient } from "@apollo/client";
import { createApolloClient } from "../../apollo/client";
import { createSocket } from "../../apollo/socket";
import type { Waits } from "../../waits";

/**
 * What is asked of the server goes through one of these. It lasts from one load of the page's data to the next, so
 * nothing of a former load, or of another user, can be left in its cache.
 */
export interface Line {
  readonly client: ApolloClient;
  /** Where the stream of events resumes. */
  readonly position: { cursor: string };
}

export interface LineListener {
  opened(line: Line): void;
  closed(line: Line, code: number | undefined): void;
  unauthenticated(line: Line): void;
}

/** Its socket is there while something is subscribed. */
export function openLine(waits: Waits, listener: LineListener): Line {
  const position = { cursor: "" };
  const socket = createSocket(waits, {
    opened: () => listener.opened(line),
    closed: (code) => listener.closed(line, code),
  });
  const client = createApolloClient({
    socket,
    cursor: () => position.cursor,
    onUnauthenticated: () => listener.unauthenticated(line),
  });
  const line = { client, position };
  return line;
}
