import { ApolloProvider } from "@apollo/client/react";
import { type ReactNode, useEffect, useState } from "react";
import { useStore } from "../../store";
import { ChatContext } from "./ChatContext";
import { createChat } from "./chat";

interface Props {
  /** The room that the page's address names; it is loaded together with the rest. Without one the first room is. */
  openRoomId(): string | null;
  children: ReactNode;
}

/** Everything that hooks of this client need, and the one stream of the page. */
export function ChatProvider({ openRoomId, children }: Props) {
  const [chat] = useState(() => createChat(openRoomId));
  const { client } = useStore(chat.state);
  useEffect(() => chat.start(), [chat]);
  return (
    <ChatContext value={chat}>
      <ApolloProvider client={client}>{children}</ApolloProvider>
    </ChatContext>
  );
}
