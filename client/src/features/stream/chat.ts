import type { ApolloClient, Unmasked } from "@apollo/client";
import { fetchIntoCache } from "../../apollo/fetchIntoCache";
import { SESSION_ENDED, SESSION_EXPIRED } from "../../apollo/socket";
import { type Failure, toFailure } from "../../failure";
import type { PageQuery } from "../../gql/graphql";
import { createStore, type Store } from "../../store";
import { backoffAfter, createWaits, type Waits } from "../../waits";
import type { OutboxEntry } from "../outbox/outbox";
import { SEND_MESSAGE } from "../outbox/sendMessage";
import { refreshPresence } from "../presence/refreshPresence";
import { loadMoreRooms } from "../rooms/loadMoreRooms";
import { LOG_IN, LOG_OUT, REGISTER } from "../session/mutations";
import type { Credentials, Session, SignedOutReason, Viewer } from "../session/session";
import { type Account, openAccount } from "./account";
import { addMessage, applyEvents, isKnown, type NewEdge, type StreamEvent } from "./applyEvents";
import { type ConnectionState, createConnection } from "./connection";
import { type Line, openLine } from "./line";
import { PAGE } from "./page";
import { openStream } from "./stream";

/** `isLive` if somebody else said it just now: it was not missed, and is not from here. */
export type MessageListener = (edge: NewEdge, isLive: boolean) => void;

export interface ChatState {
  readonly session: Session;
  readonly client: ApolloClient;
  /** Null while nobody is logged in. */
  readonly account: Account | null;
}

export interface Chat {
  readonly state: Pick<Store<ChatState>, "get" | "subscribe">;
  readonly connection: Pick<Store<ConnectionState>, "get" | "subscribe">;
  /** Waits for another attempt; `wake` ends them. */
  readonly waits: Waits;
  /** Calls back after each message of the stream; returns how to stop. */
  onMessage(listener: MessageListener): () => void;
  logIn(credentials: Credentials): Promise<Failure | null>;
  register(credentials: Credentials): Promise<Failure | null>;
  logOut(): Promise<Failure | null>;
  /** Returns how to stop. */
  start(): () => void;
}

type Loaded = Unmasked<PageQuery> & { me: Viewer };

/**
 * The page as a whole: who is logged in, what is loaded, and the stream that keeps it true.
 *
 * @param openRoomId the room that the page's address names; it is loaded with the rest. Without one the first is.
 */
export function createChat(openRoomId: () => string | null): Chat {
  const waits = createWaits();
  const connection = createConnection();
  const listeners = new Set<MessageListener>();
  const otherTabs = new BroadcastChannel("parley:session");

  let line = newLine();
  let endStream = () => {};
  /** Events come as they happen, and not because they were missed. */
  let isLive = false;
  let hasCaughtUp = false;
  let isLoggingOut = false;
  /** Counts the loads and ends of sessions: what a former one still waits for is void. */
  let turn = 0;

  const state = createStore<ChatState>({
    session: { status: "loading" },
    client: line.client,
    account: null,
  });

  function newLine(): Line {
    return openLine(waits, {
      opened(of) {
        if (of !== line) return;
        connection.setSocket(true);
        waits.wake(); // What waits for the server need not wait longer.
      },
      closed(of, code) {
        if (of !== line) return;
        isLive = false;
        connection.setSocket(false);
        if (code === SESSION_ENDED) signOut("ended");
        if (code === SESSION_EXPIRED) signOut("expired");
      },
      unauthenticated(of) {
        if (of === line && state.get().session.status === "signedIn") signOut("expired");
      },
    });
  }

  function replaceLine(next: Line): void {
    const former = line;
    endStream();
    isLive = false;
    hasCaughtUp = false;
    line = next; // First, so that the former is not listened to while it closes.
    former.client.stop();
  }

  /** Asks until there is an answer. What is shown stays until then. */
  async function load(): Promise<void> {
    const current = ++turn;
    for (let attempt = 0; current === turn; attempt++) {
      const next = newLine();
      const answer = await askForPage(next.client);
      if (current !== turn) return next.client.stop();
      if ("me" in answer) return signIn(next, answer);
      next.client.stop();
      if (answer.code === "UNAUTHENTICATED") return signOut("none");
      if (state.get().session.status !== "signedIn") showFailure(answer);
      await waits.pause(backoffAfter(answer, attempt));
    }
  }

  async function askForPage(client: ApolloClient): Promise<Loaded | Failure> {
    const roomId = openRoomId();
    try {
      const page = await fetchIntoCache(client, PAGE, {
        roomId: roomId ?? "",
        hasRoom: roomId !== null,
      });
      const { me } = page;
      return me ? { ...page, me } : { code: "UNAUTHENTICATED", message: "Nobody is logged in." };
    } catch (error) {
      return toFailure(error);
    }
  }

  function showFailure(failure: Failure): void {
    const retry = () => {
      state.set({ ...state.get(), session: { status: "loading" } });
      waits.wake();
    };
    state.set({ ...state.get(), session: { status: "unreachable", failure, retry } });
  }

  function signIn(next: Line, page: Loaded): void {
    const viewer = { id: page.me.id, username: page.me.username };
    next.position.cursor = page.eventCursor;
    replaceLine(next);
    const former = state.get().account;
    const stays = former?.viewer.id === viewer.id;
    if (!stays) former?.close();
    const account = stays ? former : newAccount(viewer, newestIn(page));
    state.set({ session: { status: "signedIn", viewer }, client: next.client, account });
    endStream = openStream(next.client, next.position, waits, {
      arrived: (events) => follow(next, account, events),
      expired: () => void load(),
    });
    void loadMoreRooms(next.client, page.rooms.pageInfo, (ask) => insist(next, ask));
  }

  function newAccount(viewer: Viewer, newest: string): Account {
    const show = (edge: NewEdge) => addMessage(line.client.cache, edge);
    return openAccount({ viewer, newest, waits, transmit, show });
  }

  async function transmit(entry: OutboxEntry, signal: AbortSignal): Promise<NewEdge> {
    const { roomId, text, clientMessageId } = entry;
    const { data } = await line.client.mutate({
      mutation: SEND_MESSAGE,
      variables: { roomId, text, clientMessageId },
      fetchPolicy: "no-cache",
      context: { fetchOptions: { signal } },
    });
    if (!data) throw new Error("The answer is empty.");
    return data.sendMessage.edge;
  }

  function follow(of: Line, account: Account, events: readonly StreamEvent[]): void {
    const { cache } = of.client;
    const news = new Set(events.filter((event) => !isKnown(cache, event)));
    applyEvents(cache, events);
    account.follow([...news]);
    for (const event of events) {
      if (event.__typename === "CaughtUp") catchUp(of);
      if (event.__typename !== "MessageAdded") continue;
      const isOfOthers = event.edge.node.sender.id !== account.viewer.id;
      const isHeardNow = isLive && isOfOthers && news.has(event);
      for (const listener of listeners) listener(event.edge, isHeardNow);
    }
  }

  function catchUp(of: Line): void {
    isLive = true;
    // Who came and went is not among the events that are kept.
    if (hasCaughtUp) void insist(of, () => refreshPresence(of.client));
    hasCaughtUp = true;
  }

  /** Asks until there is an answer, or until nobody wants it any more: null. */
  async function insist<Answer>(of: Line, ask: () => Promise<Answer>): Promise<Answer | null> {
    for (let attempt = 0; of === line; attempt++) {
      try {
        return await ask();
      } catch (error) {
        await waits.pause(backoffAfter(toFailure(error), attempt));
      }
    }
    return null;
  }

  function signOut(reason: SignedOutReason): void {
    const { session } = state.get();
    const isOut = session.status === "signedOut";
    leave({ status: "signedOut", reason: isOut ? session.reason : isLoggingOut ? "none" : reason });
  }

  /** Nothing of who was logged in remains on the page. */
  function leave(session: Session): void {
    turn++;
    state.get().account?.close();
    replaceLine(newLine());
    connection.rest();
    state.set({ session, client: line.client, account: null });
  }

  async function enter(
    mutation: typeof LOG_IN | typeof REGISTER,
    credentials: Credentials,
  ): Promise<Failure | null> {
    try {
      await line.client.mutate({ mutation, variables: credentials, fetchPolicy: "no-cache" });
    } catch (error) {
      return toFailure(error);
    }
    otherTabs.postMessage("changed");
    await load();
    return null;
  }

  async function logOut(): Promise<Failure | null> {
    isLoggingOut = true;
    try {
      await line.client.mutate({ mutation: LOG_OUT, fetchPolicy: "no-cache" });
    } catch (error) {
      const failure = toFailure(error);
      if (failure.code !== "UNAUTHENTICATED") return failure;
    } finally {
      isLoggingOut = false;
    }
    signOut("none");
    otherTabs.postMessage("changed");
    return null;
  }

  /** Somebody has logged in or out in another tab, and the cookie is the same in all. */
  function changeWithOtherTabs(): void {
    if (state.get().session.status !== "signedOut") leave({ status: "loading" });
    void load();
  }

  return {
    state,
    connection: connection.state,
    waits,
    onMessage(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    logIn: (credentials) => enter(LOG_IN, credentials),
    register: (credentials) => enter(REGISTER, credentials),
    logOut,
    start() {
      const unwatch = connection.watch();
      window.addEventListener("online", waits.wake);
      otherTabs.onmessage = changeWithOtherTabs;
      void load();
      return () => {
        otherTabs.onmessage = null;
        window.removeEventListener("online", waits.wake);
        unwatch();
        leave({ status: "loading" });
      };
    },
  };
}

function newestIn({ rooms }: Loaded): string {
  return rooms.nodes.reduce((newest, { lastMessage }) => {
    return lastMessage && lastMessage.sentAt > newest ? lastMessage.sentAt : newest;
  }, "");
}
