/** What is asked of the API without a browser. */

export const LOG_IN = `mutation ($username: String!, $password: String!) {
  login(input: { username: $username, password: $password }) { token }
}`;

const SEND = `mutation ($roomId: ID!, $text: String!) {
  sendMessage(input: { roomId: $roomId, text: $text }) { message { id } }
}`;

const CREATE_BOT = `mutation ($username: String!) {
  createBot(input: { username: $username, scopes: [READ, SEND] }) { token bot { id } }
}`;

const ADD_BOT = `mutation ($botId: ID!, $roomId: ID!) {
  addBotToRoom(input: { botId: $botId, roomId: $roomId }) { room { id } }
}`;

const HISTORY = `query ($roomId: ID!, $before: String) {
  messages(roomId: $roomId, last: 100, before: $before) {
    nodes { text }
    pageInfo { hasPreviousPage startCursor }
  }
}`;

export const demoPassword = "password123";
export const general = "room:0";

/** Somebody who talks to the server directly. */
export class Member {
  private constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  static async logIn(url: string, username: string): Promise<Member> {
    const { login } = await ask<{ login: { token: string } }>(url, LOG_IN, {
      username,
      password: demoPassword,
    });
    return new Member(url, login.token);
  }

  /** Whoever has the token. */
  static withToken(url: string, token: string): Member {
    return new Member(url, token);
  }

  async say(text: string, roomId = general): Promise<void> {
    await ask(this.url, SEND, { roomId, text }, this.token);
  }

  /** A bot of this user's, in General. */
  async createBot(username: string): Promise<Member> {
    const { createBot } = await ask<{ createBot: { token: string; bot: { id: string } } }>(
      this.url,
      CREATE_BOT,
      { username },
      this.token,
    );
    const ids = { botId: createBot.bot.id, roomId: general };
    await ask(this.url, ADD_BOT, ids, this.token);
    return new Member(this.url, createBot.token);
  }

  /** Every text of a room, oldest first. */
  async history(roomId = general): Promise<string[]> {
    const texts: string[] = [];
    for (let before: string | null = null; ; ) {
      const { messages }: History = await ask(this.url, HISTORY, { roomId, before }, this.token);
      texts.unshift(...messages.nodes.map(({ text }) => text));
      if (!messages.pageInfo.hasPreviousPage) return texts;
      before = messages.pageInfo.startCursor;
    }
  }
}

interface History {
  messages: {
    nodes: { text: string }[];
    pageInfo: { hasPreviousPage: boolean; startCursor: string | null };
  };
}

async function ask<Data>(
  url: string,
  query: string,
  variables: Record<string, unknown>,
  token?: string,
): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Data; errors?: unknown };
  if (!data || errors) throw new Error(`The server answers ${JSON.stringify(errors)}`);
  return data;
}
