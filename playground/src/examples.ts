import live from "./examples/Live.graphql?raw";
import logIn from "./examples/LogIn.graphql?raw";
import page from "./examples/Page.graphql?raw";
import roomMessages from "./examples/RoomMessages.graphql?raw";
import rooms from "./examples/Rooms.graphql?raw";
import send from "./examples/Send.graphql?raw";

export type Example = { query: string | null; variables?: string | null };

/** The tabs of a first visit, in the order to try them. */
export const examples: [Example, ...Example[]] = [
  example(logIn, { input: { username: "Pablo", password: "password123" } }),
  example(rooms),
  example(page, { before: null }),
  example(send, { input: { roomId: "room:0", text: "Hello from the playground" } }),
  example(live, { after: null }),
  example(roomMessages),
];

function example(query: string, variables?: object): Example {
  return { query: query.trimEnd(), variables: variables ? JSON.stringify(variables, null, 2) : null };
}
