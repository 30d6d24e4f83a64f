// Mercurius with its JIT, its emitter fed by one Redis subscription.
import Fastify from "fastify";
import mercurius from "mercurius";
import { event, resolvers, topicOf, typeDefs } from "./schema.mjs";
import { announce, KEEP_ALIVE_MS } from "./serve.mjs";
import { hasUserCache, Store, userCache, userLoader } from "./store.mjs";

const store = new Store();
const cached = userCache(store);
const app = Fastify({ keepAliveTimeout: KEEP_ALIVE_MS });

const user = (isSubscription) => (hasUserCache ? cached : userLoader(store, { cache: !isSubscription }));

await app.register(mercurius, {
  schema: typeDefs,
  resolvers: resolvers(store, (topic, { pubsub }) => pubsub.subscribe(topic)),
  jit: 1,
  context: (request) => ({
    viewer: () => store.authenticate(request.headers.authorization),
    user: user(false),
  }),
  subscription: {
    onConnect: async ({ payload }) => {
      const userId = await store.authenticate(payload?.authorization);
      return { viewer: () => userId, user: user(true) };
    },
  },
});
await app.ready();
await store.listen((message) => {
  app.graphql.pubsub.publish({ topic: topicOf(message.roomId), payload: event(message) });
});
await app.listen({ port: 0, host: "127.0.0.1" });
announce(app.server.address().port);
