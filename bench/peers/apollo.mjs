// Apollo Server on Express, graphql-ws for the subscriptions, as Apollo's documentation has it.
import { createServer } from "node:http";
import { ApolloServer } from "@apollo/server";
import { expressMiddleware } from "@as-integrations/express5";
import { makeExecutableSchema } from "@graphql-tools/schema";
import express from "express";
import { PubSub } from "graphql-subscriptions";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { event, resolvers, topicOf, typeDefs } from "./schema.mjs";
import { announce, KEEP_ALIVE_MS } from "./serve.mjs";
import { hasUserCache, Store, userCache, userLoader } from "./store.mjs";

const store = new Store();
const cached = userCache(store);
const pubsub = new PubSub();
pubsub.ee.setMaxListeners(0);
const schema = makeExecutableSchema({
  typeDefs,
  resolvers: resolvers(store, (topic) => pubsub.asyncIterableIterator(topic)),
});
const user = (isSubscription) => (hasUserCache ? cached : userLoader(store, { cache: !isSubscription }));

const app = express();
const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, app);
useServer(
  {
    schema,
    onConnect: async (context) => {
      context.extra.userId = await store.authenticate(context.connectionParams?.authorization);
    },
    context: ({ extra }) => ({ viewer: () => extra.userId, user: user(true) }),
  },
  new WebSocketServer({ server, path: "/graphql" }),
);

const apollo = new ApolloServer({ schema });
await apollo.start();
app.use(
  "/graphql",
  express.json(),
  expressMiddleware(apollo, {
    context: async ({ req }) => ({
      viewer: () => store.authenticate(req.headers.authorization),
      user: user(false),
    }),
  }),
);
await store.listen((message) => pubsub.publish(topicOf(message.roomId), event(message)));
server.listen(0, "127.0.0.1", () => announce(server.address().port));
