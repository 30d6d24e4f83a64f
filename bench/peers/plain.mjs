// What the servers without GraphQL share: sending by POST, and the message as a client gets it.
import { createServer } from "node:http";
import { edge } from "./schema.mjs";
import { KEEP_ALIVE_MS } from "./serve.mjs";
import { Store, userCache } from "./store.mjs";

export const store = new Store();
const user = userCache(store);

export async function shown(message) {
  const { cursor } = edge(message);
  const sentAt = new Date(message.ts * 1000).toISOString();
  const sender = await user(message.from);
  return { cursor, node: { id: message.id, text: message.message, sentAt, sender } };
}

export const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  if (request.method !== "POST" || request.url !== "/send") return;
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", async () => {
    try {
      const userId = await store.authenticate(request.headers.authorization);
      const { roomId, text } = JSON.parse(Buffer.concat(chunks));
      const message = await store.send(roomId, userId, text);
      answer(response, 200, { cursor: edge(message).cursor, id: message.id });
    } catch (error) {
      answer(response, 400, { error: error.message });
    }
  });
});

function answer(response, status, body) {
  const json = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(json),
  });
  response.end(json);
}
