import { type Client, createClient } from "graphql-ws";
import { backoff, type Waits } from "../waits";

/** A silent socket is taken for dead after PING + PONG; one that does not open, after OPENING. */
const PING = 5_000;
const PONG = 4_000;
const OPENING = 10_000;

/** Codes with which the server ends a session for good. */
export const SESSION_ENDED = 4401;
export const SESSION_EXPIRED = 4403;

interface SocketListener {
  opened(): void;
  closed(code: number | undefined): void;
}

/** A socket that reconnects for ever, unless the session is over. */
export function createSocket(waits: Waits, listener: SocketListener): Client {
  let limit: ReturnType<typeof setTimeout>;
  const within = (milliseconds: number) => {
    clearTimeout(limit);
    limit = setTimeout(() => socket.terminate(), milliseconds);
  };
  const socket = createClient({
    url: address(),
    keepAlive: PING,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: (attempt) => waits.pause(backoff(attempt)),
    shouldRetry: (reason) => !isOver(closeCode(reason)),
    on: {
      connecting: () => within(OPENING),
      connected() {
        clearTimeout(limit);
        listener.opened();
      },
      ping: (isReceived) => isReceived || within(PONG),
      pong: (isReceived) => isReceived && clearTimeout(limit),
      closed(reason) {
        clearTimeout(limit);
        listener.closed(closeCode(reason));
      },
    },
  });
  return socket;
}

function address(): string {
  const url = new URL("/graphql", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

function isOver(code: number | undefined): boolean {
  return code === SESSION_ENDED || code === SESSION_EXPIRED;
}

function closeCode(reason: unknown): number | undefined {
  const hasCode = typeof reason === "object" && reason !== null && "code" in reason;
  return hasCode && typeof reason.code === "number" ? reason.code : undefined;
}
