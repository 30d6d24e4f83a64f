import { useStore } from "../../store";
import { useChat } from "./ChatContext";
import type { ConnectionState } from "./connection";

/**
 * Offline as soon as the device is; reconnecting when there has been no socket for 5 seconds.
 * `retryNow` ends every wait for another attempt, of the socket and of unsent messages.
 */
export function useConnection(): { state: ConnectionState; retryNow(): void } {
  const { connection, waits } = useChat();
  return { state: useStore(connection), retryNow: waits.wake };
}
