// The schema of the GraphQL peers: the part of Parley's that is measured.

export const typeDefs = /* GraphQL */ `
  type User { id: ID! username: String! }
  type Message { id: ID! text: String! sentAt: String! sender: User! }
  type MessageEdge { cursor: String! node: Message! }
  type PageInfo {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }
  type MessageConnection { edges: [MessageEdge!]! pageInfo: PageInfo! }
  type SendMessagePayload { edge: MessageEdge! }
  input SendMessageInput { roomId: ID! text: String! }
  type Query { messages(roomId: ID!, last: Int!): MessageConnection! }
  type Mutation { sendMessage(input: SendMessageInput!): SendMessagePayload! }
  type Subscription { messageAdded(roomId: ID!): MessageEdge! }
`;

export const topicOf = (roomId) => `MESSAGE_ADDED:${roomId}`;
export const edge = (message) => ({ cursor: cursorOf(message), node: message });
export const event = (message) => ({ messageAdded: edge(message) });

const cursorOf = (message) => Buffer.from(String(message.ts)).toString("base64url");
const bare = (roomId) => roomId.replace(/^room:/, "");

/**
 * Contexts have `viewer()`, which gives the user's id or throws, and `user(id)`.
 * `listen(topic, context)` gives the events of a topic as an async iterator.
 */
export function resolvers(store, listen) {
  return {
    Query: {
      async messages(_, { roomId, last }, context) {
        await context.viewer();
        const { messages, hasPreviousPage } = await store.last(bare(roomId), last);
        const edges = messages.map(edge);
        return {
          edges,
          pageInfo: {
            hasNextPage: false,
            hasPreviousPage,
            startCursor: edges[0]?.cursor,
            endCursor: edges.at(-1)?.cursor,
          },
        };
      },
    },
    Mutation: {
      async sendMessage(_, { input }, context) {
        const userId = await context.viewer();
        return { edge: edge(await store.send(bare(input.roomId), userId, input.text)) };
      },
    },
    Subscription: {
      messageAdded: {
        async subscribe(_, { roomId }, context) {
          await context.viewer();
          return listen(topicOf(bare(roomId)), context);
        },
      },
    },
    Message: {
      text: (message) => message.message,
      sentAt: (message) => new Date(message.ts * 1000).toISOString(),
      sender: (message, _, context) => context.user(message.from),
    },
  };
}
