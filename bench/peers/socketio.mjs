// Socket.IO with its rooms: no GraphQL, every client gets the same fields.
import { Server } from "socket.io";
import { server, shown, store } from "./plain.mjs";
import { announce } from "./serve.mjs";

const io = new Server(server, { transports: ["websocket"] });

io.use(async (socket, next) => {
  try {
    socket.data.userId = await store.authenticate(`Bearer ${socket.handshake.auth.token}`);
    next();
  } catch (error) {
    next(error);
  }
});
io.on("connection", (socket) => {
  socket.on("join", (roomId) => socket.join(roomId));
});

// In order, although names may have to be looked up.
let previous = Promise.resolve();
await store.listen((message) => {
  const next = shown(message);
  previous = previous.then(async () => io.to(`room:${message.roomId}`).emit("message", await next));
});
server.listen(0, "127.0.0.1", () => announce(server.address().port));
