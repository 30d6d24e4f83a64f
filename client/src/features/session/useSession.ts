import { useCallback, useState } from "react";
import type { Failure } from "../../failure";
import { useStore } from "../../store";
import { useChat } from "../stream/ChatContext";
import type { Credentials, Session } from "./session";

export type { Credentials, Session, SignedOutReason, Viewer } from "./session";

export function useSession(): Session {
  return useStore(useChat().state).session;
}

/** Resolves when the page is loaded for who has logged in, or with what was wrong. */
export function useLogIn(): [
  (credentials: Credentials) => Promise<Failure | null>,
  isBusy: boolean,
] {
  return useBusy(useChat().logIn);
}

export function useRegister(): [
  (credentials: Credentials) => Promise<Failure | null>,
  isBusy: boolean,
] {
  return useBusy(useChat().register);
}

export function useLogOut(): () => Promise<Failure | null> {
  return useChat().logOut;
}

function useBusy<Input, Output>(
  action: (input: Input) => Promise<Output>,
): [(input: Input) => Promise<Output>, isBusy: boolean] {
  const [isBusy, setBusy] = useState(false);
  const act = useCallback(
    async (input: Input) => {
      setBusy(true);
      return action(input).finally(() => setBusy(false));
    },
    [action],
  );
  return [act, isBusy];
}
