// GraphQL Yoga with its own pub/sub, graphql-ws beside it, as Yoga's documentation has it.
import { createServer } from "node:http";
import { createPubSub, createSchema, createYoga } from "graphql-yoga";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { event, resolvers, topicOf, typeDefs } from "./schema.mjs";
import { announce, KEEP_ALIVE_MS } from "./serve.mjs";
import { hasUserCache, Store, userCache, userLoader } from "./store.mjs";

const store = new Store();
const cached = userCache(store);
const pubsub = createPubSub();
const user = (isSubscription) => (hasUserCache ? cached : userLoader(store, { cache: !isSubscription }));

const yoga = createYoga({
  schema: createSchema({
    typeDefs,
    resolvers: resolvers(store, (topic) => pubsub.subscribe(topic)),
  }),
  logging: "error",
  graphiql: false,
  context: ({ request, userId }) => ({
    viewer: () => userId ?? store.authenticate(request.headers.get("authorization")),
    user: user(userId !== undefined),
  }),
});

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, yoga);
useServer(
  {
    execute: (args) => args.rootValue.execute(args),
    subscribe: (args) => args.rootValue.subscribe(args),
    onConnect: async (context) => {
      context.extra.userId = await store.authenticate(context.connectionParams?.authorization);
    },
    onSubscribe: async (context, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...context,
        req: context.extra.request,
        socket: context.extra.socket,
        userId: context.extra.userId,
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length ? errors : args;
    },
  },
  new WebSocketServer({ server, path: yoga.graphqlEndpoint }),
);
await store.listen((message) => pubsub.publish(topicOf(message.roomId), event(message)));
server.listen(0, "127.0.0.1", () => announce(server.address().port));
