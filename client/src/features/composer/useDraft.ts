import { useStore } from "../../store";
import { useAccount } from "../stream/ChatContext";

/** What is written and not sent yet in a room; survives a reload, and is the same in all tabs. */
export function useDraft(roomId: string): {
  text: string;
  setText(text: string): void;
  /** When the message is sent, and will be kept by the outbox. */
  clear(isKept: Promise<void>): void;
} {
  const { drafts } = useAccount();
  const text = useStore(drafts.texts)[roomId] ?? "";
  return {
    text,
    setText: (next) => drafts.set(roomId, next),
    clear: (isKept) => void drafts.clear(roomId, isKept),
  };
}
