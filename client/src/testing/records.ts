import { GraphQLError } from "graphql";

export interface User {
  __typename: "User";
  id: string;
  username: string;
  isBot: boolean;
  online: boolean;
  lastSeenAt: string | null;
}

interface Message {
  __typename: "Message";
  id: string;
  text: string;
  clientMessageId: string | null;
  sentAt: string;
  room: Room;
  sender: User;
}

export interface Edge {
  __typename: "MessageEdge";
  cursor: string;
  node: Message;
}

export interface Room {
  __typename: "Room";
  id: string;
  name: string | null;
  kind: "PUBLIC" | "PRIVATE";
  edges: Edge[];
  people: User[];
  members(range: Range): object;
  messages(range: Range): object;
  lastMessage(): Message | null;
}

export interface Range {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

/** An error as the server tells it. */
export function failure(code: string, extensions: object = {}): GraphQLError {
  return new GraphQLError(code, { extensions: { code, ...extensions } });
}

export function newUser(number: number, username: string): User {
  return {
    __typename: "User",
    id: `user:${number}`,
    username,
    isBot: false,
    online: false,
    lastSeenAt: null,
  };
}

export function newRoom(id: string, name: string | null, people: User[]): Room {
  const edges: Edge[] = [];
  return {
    __typename: "Room",
    id,
    name,
    kind: name === null ? "PRIVATE" : "PUBLIC",
    edges,
    people,
    members: (range) => connection(people, range),
    messages: (range) => page(edges, range),
    lastMessage: () => edges.at(-1)?.node ?? null,
  };
}

function page(edges: Edge[], { first, after, last, before }: Range): object {
  const from = after ? edges.findIndex(({ cursor }) => cursor === after) + 1 : 0;
  const to = before ? edges.findIndex(({ cursor }) => cursor === before) : edges.length;
  const start = first ? from : Math.max(from, to - (last ?? 50));
  const end = first ? Math.min(to, from + first) : to;
  const found = edges.slice(start, end);
  return {
    edges: found,
    nodes: found.map(({ node }) => node),
    pageInfo: {
      hasPreviousPage: start > 0,
      hasNextPage: end < edges.length,
      startCursor: found[0]?.cursor ?? null,
      endCursor: found.at(-1)?.cursor ?? null,
    },
  };
}

export function connection<Item extends { id: string }>(
  items: Item[],
  { first, after }: Range,
): object {
  const start = after ? items.findIndex(({ id }) => id === after) + 1 : 0;
  const nodes = items.slice(start, start + (first ?? 50));
  return {
    nodes,
    edges: nodes.map((node) => ({ cursor: node.id, node })),
    pageInfo: {
      hasPreviousPage: start > 0,
      hasNextPage: start + nodes.length < items.length,
      startCursor: nodes[0]?.id ?? null,
      endCursor: nodes.at(-1)?.id ?? null,
    },
  };
}
