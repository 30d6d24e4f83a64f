import { createStore, type Store } from "../../store";

export type ConnectionState = "online" | "offline" | "reconnecting";

/** A socket that is away for less than this is not worth a word. */
const GRACE = 5_000;

export interface Connection {
  readonly state: Store<ConnectionState>;
  /** The socket is there, or went away. */
  setSocket(isOpen: boolean): void;
  /** Nobody is logged in, so no socket is missed. */
  rest(): void;
  /** Follows whether the device has a network; returns how to stop. */
  watch(): () => void;
}

export function createConnection(): Connection {
  const state = createStore<ConnectionState>("online");
  let isOverdue = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const update = () => {
    state.set(!navigator.onLine ? "offline" : isOverdue ? "reconnecting" : "online");
  };
  const rest = () => {
    clearTimeout(timer);
    timer = undefined;
    isOverdue = false;
    update();
  };

  return {
    state,
    rest,
    setSocket(isOpen) {
      if (isOpen) return rest();
      timer ??= setTimeout(() => {
        isOverdue = true;
        update();
      }, GRACE);
    },
    watch() {
      const stop = new AbortController();
      window.addEventListener("online", update, stop);
      window.addEventListener("offline", update, stop);
      update();
      return () => {
        stop.abort();
        rest();
      };
    },
  };
}
