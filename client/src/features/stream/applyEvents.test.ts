import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { openBrowser } from "../../testing/browser";
import { ChatServer } from "../../testing/server";
import { ROOMS } from "../rooms/queries";
import { TIMELINE } from "../timeline/queries";
import { createChat } from "./chat";

const users = ["Pablo", "Joe", "Mary"];

type Action =
  | { do: "say"; who: string; where: string }
  | { do: "open"; who: string; whom: string }
  | { do: "presence"; who: string; online: boolean }
  | { do: "drop" };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    do: fc.constant("say"),
    who: fc.constantFrom(...users),
    where: fc.constantFrom("room:0", "room:1:2"),
  }),
  fc.record({
    do: fc.constant("open"),
    who: fc.constantFrom(...users),
    whom: fc.constantFrom("Alex", "Joe"),
  }),
  fc.record({ do: fc.constant("presence"), who: fc.constantFrom(...users), online: fc.boolean() }),
  fc.record({ do: fc.constant("drop") }),
) as fc.Arbitrary<Action>;

/** A page that is loaded now, as its reader sees it. */
async function visit() {
  const chat = createChat(() => "room:0");
  const stop = chat.start();
  await vi.waitFor(() => expect(chat.state.get().session.status).toBe("signedIn"), { interval: 2 });
  const seen = () => {
    const { client } = chat.state.get();
    const rooms = client
      .readQuery({ query: ROOMS })
      ?.rooms.nodes.map(({ id, lastMessage }) => [id, lastMessage?.id]);
    const general = client.readFragment({
      from: { __typename: "Room", id: "room:0" },
      fragment: TIMELINE,
      fragmentName: "Timeline_room",
    });
    const extracted = Object.entries(
      client.cache.extract() as Record<string, { online?: unknown }>,
    );
    const online = extracted.filter(([id, user]) => id.startsWith("User:") && user.online === true);
    return {
      rooms: Object.fromEntries(rooms ?? []),
      messages: general?.messages.edges.map(({ node }) => node.id).slice(-50),
      online: online.map(([id]) => id).sort(),
    };
  };
  return { seen, stop };
}

test("a page that has followed the events shows what one shows that is loaded afterwards", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
      const server = new ChatServer();
      server.openPrivateRoom("Pablo", "Joe");
      openBrowser(server);
      const early = await visit();
      await vi.waitFor(() => expect(server.sockets.size).toBe(1), { interval: 2 });
      for (const next of actions) {
        if (next.do === "say") server.say(next.who, "text", next.where);
        if (next.do === "open" && next.who !== next.whom)
          server.openPrivateRoom(next.who, next.whom);
        if (next.do === "presence") server.setOnline(next.who, next.online);
        if (next.do === "drop") server.drop();
      }
      const late = await visit();
      await vi.waitFor(() => expect(early.seen()).toEqual(late.seen()), { interval: 2 });
      early.stop();
      late.stop();
    }),
    { numRuns: 40 },
  );
}, 30_000);
