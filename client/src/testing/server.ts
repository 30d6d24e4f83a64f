import { readFileSync } from "node:fs";
import { buildSchema, execute, type GraphQLError, parse, validate } from "graphql";
import { Belongings } from "./belongings";
import {
  connection,
  type Edge,
  failure,
  newRoom,
  newUser,
  type Range,
  type Room,
  type User,
} from "./records";

export { type Edge, failure, type Room } from "./records";

const schema = buildSchema(readFileSync("../schema.graphql", "utf8"));

/** What was recorded for resuming, with the number that is its cursor. */
type Recorded =
  | { __typename: "MessageAdded"; edge: Edge }
  | { __typename: "RoomAdded"; room: Room };

type Answer = { data?: unknown; errors?: readonly GraphQLError[] };

/**
 * A chat server in memory for one user at a time. It speaks the real schema, so what the client asks
 * is validated, and its faults can be chosen.
 */
export class ChatServer {
  readonly users = ["Pablo", "Joe", "Mary", "Alex"].map((name, index) => newUser(index + 1, name));
  readonly rooms: Room[] = [newRoom("room:0", "General", this.users)];
  readonly belongings = new Belongings(this.rooms, () => this.viewerOrFail());
  readonly log: Recorded[] = [];
  /** Names of the operations that were asked for, in order. */
  readonly asked: string[] = [];
  /** Variables of the subscriptions that were begun, in order. */
  readonly subscribed: { after?: unknown }[] = [];
  readonly sockets = new Set<FakeSocket>();
  viewer: User | null = this.user("Pablo");
  /** Cursors below this are not known any more. */
  oldestCursor = 0;
  /** Called with each request, before it has an effect; may throw or wait. */
  beforeRequest: (operation: string, variables: Record<string, unknown>) => unknown = () => {};
  /** Called before an answer is given; may throw or wait. */
  beforeAnswer: (operation: string) => unknown = () => {};
  private time = Date.parse("2026-11-24T10:00:00Z");

  user(name: string): User {
    const found = this.users.find(({ username }) => username === name);
    if (!found) throw new Error(`There is no ${name}.`);
    return found;
  }

  room(id: string): Room {
    const found = this.rooms.find((room) => room.id === id);
    if (!found) throw failure("NOT_FOUND");
    return found;
  }

  texts(roomId = "room:0"): string[] {
    return this.room(roomId).edges.map(({ node }) => node.text);
  }

  say(name: string, text: string, roomId = "room:0", clientMessageId: string | null = null): Edge {
    const room = this.room(roomId);
    const sender = this.user(name);
    const known = room.edges.find(
      ({ node }) => node.clientMessageId === clientMessageId && node.sender === sender,
    );
    if (known && clientMessageId !== null) return known;
    this.time += 1_000;
    const number = room.edges.length + 1;
    const edge: Edge = {
      __typename: "MessageEdge",
      cursor: `${room.id}/${String(number).padStart(6, "0")}`,
      node: {
        __typename: "Message",
        id: `message:${room.id}:${number}`,
        text,
        clientMessageId,
        sentAt: new Date(this.time).toISOString().replace("Z", "000Z"),
        room,
        sender,
      },
    };
    room.edges.push(edge);
    this.record({ __typename: "MessageAdded", edge });
    return edge;
  }

  openPrivateRoom(name: string, other: string): Room {
    const people = [this.user(name), this.user(other)].sort((a, b) => (a.id < b.id ? -1 : 1));
    const id = `room:${people.map((user) => user.id.slice("user:".length)).join(":")}`;
    const known = this.rooms.find((room) => room.id === id);
    if (known) return known;
    const room = newRoom(id, null, people);
    this.rooms.push(room);
    this.record({ __typename: "RoomAdded", room });
    return room;
  }

  setOnline(name: string, online: boolean): void {
    const user = this.user(name);
    user.online = online;
    const event = { __typename: "PresenceChanged", cursor: null, user: { ...user } };
    for (const socket of this.sockets) socket.emitEvent(event);
  }

  /** Loses every socket, as a network does. */
  drop(code = 1006): void {
    for (const socket of [...this.sockets]) socket.lose(code);
  }

  readonly fetch = async (_url: unknown, init: RequestInit = {}): Promise<Response> => {
    const { query, variables, operationName } = JSON.parse(String(init.body));
    this.asked.push(operationName);
    const answer = await unlessAborted(init.signal, async () => {
      await this.beforeRequest(operationName, variables);
      const result = await this.execute(query, variables);
      await this.beforeAnswer(operationName);
      return result;
    });
    return Response.json(answer);
  };

  async execute(query: string, variableValues: Record<string, unknown>): Promise<Answer> {
    const document = parse(query);
    const errors = validate(schema, document);
    if (errors.length > 0) return { errors };
    return execute({ schema, document, variableValues, rootValue: this.root() });
  }

  /** Everything after a cursor, for a socket that subscribes. */
  replay(after: string): object[] {
    const number = Number(after);
    if (number < this.oldestCursor) throw failure("CURSOR_EXPIRED");
    const missed = this.log
      .slice(number)
      .map((event, index) => ({ ...event, cursor: String(number + index + 1) }));
    return [...missed, { __typename: "CaughtUp", cursor: this.cursor, replayed: missed.length }];
  }

  get cursor(): string {
    return String(this.log.length);
  }

  private record(event: Recorded): void {
    this.log.push(event);
    for (const socket of this.sockets) socket.emitEvent({ ...event, cursor: this.cursor });
  }

  private viewerOrFail(): User {
    if (this.viewer) return this.viewer;
    throw failure("UNAUTHENTICATED");
  }

  private root() {
    return {
      eventCursor: () => this.viewerOrFail() && this.cursor,
      ...this.belongings.root(),
      me: () => this.viewer,
      rooms: (range: Range) => this.viewerOrFail() && connection(this.rooms, range),
      room: ({ id }: { id: string }) => this.rooms.find((room) => room.id === id) ?? null,
      users: (range: Range) => connection(this.users, range),
      nodes: ({ ids }: { ids: string[] }) =>
        ids.map((id) => this.users.find((user) => user.id === id) ?? null),
      login: ({ input }: { input: { username: string; password: string } }) => {
        if (input.password !== "password123") throw failure("UNAUTHENTICATED");
        this.viewer = this.user(input.username);
        return { user: this.viewer };
      },
      logout: () => {
        this.viewer = null;
        this.drop(4401);
        return { user: null };
      },
      openPrivateRoom: ({ input }: { input: { userId: string } }) => {
        const other = this.users.find(({ id }) => id === input.userId);
        return { room: this.openPrivateRoom(this.viewerOrFail().username, other?.username ?? "") };
      },
      sendMessage: ({
        input,
      }: {
        input: { roomId: string; text: string; clientMessageId: string };
      }) => {
        const { username } = this.viewerOrFail();
        const edge = this.say(username, input.text, input.roomId, input.clientMessageId);
        return { edge, message: edge.node };
      },
    };
  }
}

/** The browser's end of a connection to a `ChatServer`; use `socketClass` for the global. */
export class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readyState = FakeSocket.CONNECTING;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((error: unknown) => void) | null = null;
  /** A network that swallows everything. */
  isSilent = false;
  private subscription: { id: string; query: string } | null = null;
  private order: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly server: ChatServer,
    isReachable: boolean,
  ) {
    queueMicrotask(() => {
      if (!isReachable) return this.lose(1006);
      this.readyState = FakeSocket.OPEN;
      this.server.sockets.add(this);
      this.onopen?.();
    });
  }

  send(text: string): void {
    if (this.isSilent) return;
    const message = JSON.parse(text);
    if (message.type === "connection_init") this.receive({ type: "connection_ack" });
    if (message.type === "ping") this.receive({ type: "pong" });
    if (message.type === "subscribe") this.subscribe(message.id, message.payload);
  }

  close(code = 1005): void {
    this.lose(code);
  }

  lose(code: number): void {
    if (this.readyState === FakeSocket.CLOSED) return;
    this.readyState = FakeSocket.CLOSED;
    this.server.sockets.delete(this);
    queueMicrotask(() => this.onclose?.({ code, reason: "" }));
  }

  emitEvent(event: object): void {
    const { subscription } = this;
    if (!subscription) return;
    // The selection of a subscription, applied to an event as if it were a query.
    const payload = eventAsSelected(subscription.query, event);
    this.order = this.order.then(async () => {
      this.receive({ type: "next", id: subscription.id, payload: await payload });
    });
  }

  private subscribe(id: string, payload: { query: string; variables: { after: string } }): void {
    this.server.subscribed.push({ ...payload.variables });
    let events: object[];
    try {
      events = this.server.replay(payload.variables.after);
    } catch (error) {
      this.receive({ type: "error", id, payload: [error] });
      return;
    }
    this.subscription = { id, query: payload.query };
    for (const event of events) this.emitEvent(event);
  }

  private receive(message: object): void {
    queueMicrotask(() => {
      if (!this.isSilent && this.readyState === FakeSocket.OPEN) {
        this.onmessage?.({ data: JSON.stringify(message) });
      }
    });
  }
}

/** A `WebSocket` whose connections go to the server, as long as `isReachable`. */
export function socketClass(server: ChatServer, isReachable = () => true) {
  return class extends FakeSocket {
    constructor() {
      super(server, isReachable());
    }
  };
}

async function eventAsSelected(query: string, event: object): Promise<Answer> {
  return execute({
    schema,
    document: parse(query),
    rootValue: { events: event },
    variableValues: { after: "" },
  });
}

/** As `fetch` does: an abort rejects at once, whatever the server does. */
function unlessAborted<Result>(
  signal: AbortSignal | null | undefined,
  action: () => Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal?.reason);
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort);
    action().then(resolve, reject);
  });
}
