// The bare `ws` package: one text for everybody, no protocol, no choice of fields. A lower bound.
import { WebSocketServer } from "ws";
import { server, shown, store } from "./plain.mjs";
import { announce } from "./serve.mjs";

const rooms = new Map();
const sockets = new WebSocketServer({ server, path: "/ws" });

sockets.on("connection", async (socket, request) => {
  const parameters = new URL(request.url, "http://localhost").searchParams;
  try {
    await store.authenticate(`Bearer ${parameters.get("token")}`);
  } catch {
    socket.close(4401);
    return;
  }
  const roomId = parameters.get("room");
  if (!rooms.has(roomId)) rooms.set(roomId, new Set());
  rooms.get(roomId).add(socket);
  socket.on("close", () => rooms.get(roomId).delete(socket));
});

// In order, although names may have to be looked up.
let previous = Promise.resolve();
await store.listen((message) => {
  const next = shown(message);
  previous = previous.then(async () => {
    const text = Buffer.from(JSON.stringify(await next));
    for (const socket of rooms.get(message.roomId) ?? []) socket.send(text, { binary: false });
  });
});
server.listen(0, "127.0.0.1", () => announce(server.address().port));
