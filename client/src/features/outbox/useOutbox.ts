import { useStore } from "../../store";
import { useAccount } from "../stream/ChatContext";

export interface OutboxActions {
  /** Shows at once, and goes out as soon as it can. Resolves when it is kept over the end of the page. */
  send(roomId: string, text: string): Promise<void>;
  retry(clientMessageId: string): void;
  discard(clientMessageId: string): void;
  /** How many messages of a room are not confirmed yet. */
  waiting(roomId: string): number;
}

export function useOutbox(): OutboxActions {
  const { outbox } = useAccount();
  const entries = useStore(outbox.entries);
  return {
    send: outbox.send,
    retry: outbox.retry,
    discard: outbox.discard,
    waiting: (roomId) => entries.filter((entry) => entry.roomId === roomId).length,
  };
}
