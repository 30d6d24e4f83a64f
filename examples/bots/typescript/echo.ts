// Says again what people say in the rooms of the bot.
//
//     PARLEY_TOKEN=… npm start
//
// The place of the last message that was answered is kept in a file. What is said while the bot or
// the server is away is answered later, and nothing is answered twice.
import { existsSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { GraphQLError } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws"; // From Node 22 on there is one without this.

const url = process.env.PARLEY_URL ?? "ws://localhost:8000/graphql";
const token = process.env.PARLEY_TOKEN;
const place = process.env.PARLEY_STATE ?? "echo.cursor";

const PRESENT = "{ eventCursor }";
const MESSAGES = `subscription($after: String) { messageAdded(after: $after) {
  cursor node { id text room { id } sender { isBot } } } }`;
const SEND = `mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }`;

type Message = { id: string; text: string; room: { id: string }; sender: { isBot: boolean } };
type Added = { messageAdded: { cursor: string; node: Message } };

const codeOf = (errors: unknown) => (errors as GraphQLError[])[0]?.extensions?.code;

/** All of it or nothing, however this ends. */
function keep(cursor: string) {
  writeFileSync(`${place}.new`, cursor);
  renameSync(`${place}.new`, place);
}

async function answer({ id, text, room, sender }: Message) {
  if (sender.isBot) return; // Two that echo each other would never end.
  // One message, one key: an answer that is sent again is no second one.
  const input = { roomId: room.id, text, clientMessageId: `echo ${id}` };
  const { value } = await client.iterate({ query: SEND, variables: { input } }).next();
  // Where it was taken out of the room there is no answer. Of all else, it is tried again.
  if (value?.errors && codeOf(value.errors) !== "NOT_FOUND") throw value.errors;
}

async function follow() {
  if (!existsSync(place)) {
    const { value } = await client.iterate<{ eventCursor: string }>({ query: PRESENT }).next();
    if (!value?.data) throw value?.errors;
    keep(value.data.eventCursor);
  }
  const variables = { after: readFileSync(place, "utf8") };
  for await (const { data } of client.iterate<Added>({ query: MESSAGES, variables })) {
    if (!data) return;
    await answer(data.messageAdded.node);
    keep(data.messageAdded.cursor);
    variables.after = data.messageAdded.cursor; // From here when the connection breaks.
  }
}

function refused(code: number) {
  if (code !== 4401 && code !== 4403) return;
  console.error("The token does not hold any more.");
  process.exit(1);
}

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${token}` },
  retryAttempts: Number.POSITIVE_INFINITY,
  on: { closed: (event) => refused((event as CloseEvent).code) },
});
for (;;) {
  await follow().catch((errors) => {
    // The store has lost what came after: on from the present.
    if (codeOf(errors) === "CURSOR_EXPIRED") unlinkSync(place);
    console.error("Trying again:", errors);
  });
  await sleep(1000);
}
