import type { BotScope } from "../gql/graphql";
import { connection, failure, newUser, type Range, type Room, type User } from "./records";

const MOST_BOTS = 3;

interface Session {
  __typename: "Session";
  id: string;
  createdAt: string;
  lastUsedAt: string;
  device: string;
  isCurrent: boolean;
}

interface Bot {
  __typename: "Bot";
  id: string;
  user: User;
  scopes: BotScope[];
  tokenIssuedAt: string | null;
  lastUsedAt: string | null;
  roomIds: Set<string>;
  rooms(range: Range): object;
}

type Input<Fields> = { input: Fields };

/** The viewer's sessions and bots. */
export class Belongings {
  sessions = [newSession(1, "Firefox on Linux", true)];
  bots: Bot[] = [];
  private tokens = 0;

  constructor(
    private readonly publicRooms: readonly Room[],
    private readonly viewer: () => User,
  ) {}

  addSession(device: string): Session {
    const session = newSession(this.sessions.length + 1, device, false);
    this.sessions.push(session);
    return session;
  }

  addBot(username: string, scopes: BotScope[] = ["READ", "SEND"]): Bot {
    const user = { ...newUser(100 + this.bots.length, username), isBot: true };
    const roomIds = new Set<string>();
    const bot: Bot = {
      __typename: "Bot",
      id: user.id,
      user,
      scopes: [],
      tokenIssuedAt: null,
      lastUsedAt: null,
      roomIds,
      rooms: (range) =>
        connection(
          this.publicRooms.filter(({ id }) => roomIds.has(id)),
          range,
        ),
    };
    this.bots.push(bot);
    this.issue(bot, scopes);
    return bot;
  }

  root() {
    return {
      sessions: () => this.viewer() && this.sessions,
      endSession: ({ input }: Input<{ sessionId: string }>) => {
        const session = this.sessions.find(({ id }) => id === input.sessionId);
        if (!session) throw failure("NOT_FOUND");
        this.sessions = this.sessions.filter((other) => other !== session);
        return { session };
      },
      endOtherSessions: () => {
        const ended = this.sessions.filter(({ isCurrent }) => !isCurrent);
        this.sessions = this.sessions.filter(({ isCurrent }) => isCurrent);
        return { sessions: ended };
      },
      bots: () => this.viewer() && this.bots,
      createBot: ({ input }: Input<{ username: string; scopes: BotScope[] }>) => {
        if (this.bots.length >= MOST_BOTS) throw failure("FORBIDDEN");
        if (this.bots.some(({ user }) => user.username === input.username))
          throw failure("CONFLICT");
        const bot = this.addBot(input.username, input.scopes);
        return { bot, token: this.lastToken };
      },
      rotateBotToken: ({ input }: Input<{ botId: string; scopes: BotScope[] }>) => {
        const bot = this.bot(input.botId);
        this.issue(bot, input.scopes);
        return { bot, token: this.lastToken };
      },
      revokeBotToken: ({ input }: Input<{ botId: string }>) => {
        const bot = this.bot(input.botId);
        Object.assign(bot, { scopes: [], tokenIssuedAt: null, lastUsedAt: null });
        return { bot };
      },
      deleteBot: ({ input }: Input<{ botId: string }>) => {
        const bot = this.bot(input.botId);
        this.bots = this.bots.filter((other) => other !== bot);
        return { bot };
      },
      addBotToRoom: ({ input }: Input<{ botId: string; roomId: string }>) => {
        this.bot(input.botId).roomIds.add(input.roomId);
        return this.botAndRoom(input);
      },
      removeBotFromRoom: ({ input }: Input<{ botId: string; roomId: string }>) => {
        this.bot(input.botId).roomIds.delete(input.roomId);
        return this.botAndRoom(input);
      },
    };
  }

  get lastToken(): string {
    return `bot-token-${this.tokens}`;
  }

  private issue(bot: Bot, scopes: BotScope[]): void {
    this.tokens += 1;
    const at = "2026-11-24T10:00:00.000000Z";
    Object.assign(bot, { scopes, tokenIssuedAt: at, lastUsedAt: at });
  }

  private bot(botId: string): Bot {
    const bot = this.bots.find(({ id }) => id === botId);
    if (!bot) throw failure("NOT_FOUND");
    return bot;
  }

  private botAndRoom({ botId, roomId }: { botId: string; roomId: string }) {
    return { bot: this.bot(botId), room: this.publicRooms.find(({ id }) => id === roomId) };
  }
}

function newSession(number: number, device: string, isCurrent: boolean): Session {
  const at = "2026-11-24T10:00:00.000000Z";
  return {
    __typename: "Session",
    id: `session:${number}`,
    createdAt: at,
    lastUsedAt: at,
    device,
    isCurrent,
  };
}
