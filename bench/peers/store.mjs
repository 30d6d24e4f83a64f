// The chat on Redis, as every Node peer has it: sessions, users, pages, sending, listening.
import DataLoader from "dataloader";
import { Redis } from "ioredis";

const CHANNEL = "MESSAGES";

export class Store {
  constructor(url = process.env.REDIS_URL) {
    // Commands of one turn of the event loop share a round trip.
    this.redis = new Redis(url, { enableAutoPipelining: true });
    this.url = url;
  }

  /** The id of the user whose session this is; throws for a token that does not hold. */
  async authenticate(authorization) {
    const token = /^Bearer (.+)$/.exec(authorization ?? "")?.[1];
    const userId = token && (await this.redis.get(`session:${token}`));
    if (!userId) throw new Error("UNAUTHENTICATED");
    return userId;
  }

  async send(roomId, from, text) {
    const now = Date.now();
    const ts = now / 1000;
    const message = { from, date: Math.floor(ts), message: text, roomId, id: messageId(roomId), ts };
    const json = JSON.stringify(message);
    const envelope = `{"serverId":"peer","type":"message","data":${json}}`;
    await this.redis.multi().zadd(`room:${roomId}`, ts, json).publish(CHANNEL, envelope).exec();
    return message;
  }

  /** The newest messages of a room, oldest first, and whether there are older ones. */
  async last(roomId, count) {
    const rows = await this.redis.zrange(`room:${roomId}`, -count - 1, -1);
    const messages = rows.slice(-count).map((row) => JSON.parse(row));
    return { messages, hasPreviousPage: rows.length > count };
  }

  /** Call back for every message of every server. */
  async listen(onMessage) {
    const subscriber = new Redis(this.url);
    subscriber.on("message", (channel, text) => {
      const envelope = JSON.parse(text);
      if (envelope.type === "message") onMessage(envelope.data);
    });
    await subscriber.subscribe(CHANNEL);
  }

  users(ids) {
    return Promise.all(
      ids.map(async (id) => ({ id: `user:${id}`, username: await this.redis.hget(`user:${id}`, "username") })),
    );
  }
}

let previous = 0;
function messageId(roomId) {
  previous = Math.max(Date.now() * 1000, previous + 1);
  return `message:${roomId}:${previous}`;
}

/** A loader for one operation; of a subscription it must not remember, or names would get stale. */
export function userLoader(store, { cache }) {
  const loader = new DataLoader((ids) => store.users(ids), { cache });
  return (id) => loader.load(id);
}

/** A cache of the whole process: after the first time a user is there without waiting. */
export function userCache(store) {
  const known = new Map();
  return (id) => {
    const user = known.get(id);
    if (user) return user;
    return store.users([id]).then(([found]) => {
      known.set(id, found);
      return found;
    });
  };
}

export const hasUserCache = process.env.USER_CACHE === "1";
