import { useEffect, useEffectEvent } from "react";
import type { NewEdge } from "./applyEvents";
import { useChat } from "./ChatContext";

export type LiveMessage = NewEdge["node"];

/** Calls back once for each new message of somebody else that comes live: never for history or what was missed. */
export function useLiveMessages(listener: (message: LiveMessage, roomId: string) => void): void {
  const { onMessage } = useChat();
  const hear = useEffectEvent(listener);
  useEffect(
    () =>
      onMessage(({ node }, isLive) => {
        if (isLive) hear(node, node.room.id);
      }),
    [onMessage],
  );
}
