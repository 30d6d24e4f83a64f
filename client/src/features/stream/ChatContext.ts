import { createContext, useContext } from "react";
import { useStore } from "../../store";
import type { Account } from "./account";
import type { Chat } from "./chat";

export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (!chat) throw new Error("This needs a ChatProvider around it.");
  return chat;
}

/** For what is shown only while somebody is logged in. */
export function useAccount(): Account {
  const { account } = useStore(useChat().state);
  if (!account) throw new Error("Nobody is logged in.");
  return account;
}
