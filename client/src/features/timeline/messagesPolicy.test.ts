import { expect, test } from "vitest";
import { createCache } from "../../apollo/cache";
import { addMessage, type NewEdge } from "../stream/applyEvents";
import { keepNewest } from "./pager";
import { ROOM_PAGE, TIMELINE } from "./queries";
import { WINDOW } from "./segments";

const room = { __typename: "Room" as const, id: "room:0" };
const edges = Array.from({ length: WINDOW + 500 }, (_, number) => edge(number));

function edge(number: number): NewEdge {
  const place = String(number).padStart(6, "0");
  return {
    __typename: "MessageEdge",
    cursor: place,
    node: {
      __typename: "Message",
      id: `message:${place}`,
      text: "",
      clientMessageId: null,
      sentAt: `2026-11-24T10:00:00.${place}Z`,
      room,
      sender: {
        __typename: "User",
        id: "user:2",
        username: "Joe",
        isBot: false,
        online: true,
        lastSeenAt: null,
      },
    },
  };
}

/** A cache with a room in it, of which pages are loaded as the client does it. */
function open() {
  const cache = createCache();
  const load = (from: number, to: number, range: { before?: string; after?: string }) => {
    cache.writeQuery({
      query: ROOM_PAGE,
      variables: { roomId: room.id, ...range },
      data: {
        room: {
          ...room,
          messages: {
            __typename: "MessageConnection",
            edges: edges.slice(from, to),
            pageInfo: {
              __typename: "PageInfo",
              hasPreviousPage: from > 0,
              hasNextPage: to < edges.length,
            },
          },
        },
      },
    });
  };
  cache.writeFragment({
    from: room,
    fragment: TIMELINE,
    fragmentName: "Timeline_room",
    data: {
      ...room,
      kind: "PUBLIC",
      messages: {
        __typename: "MessageConnection",
        edges: [],
        pageInfo: { __typename: "PageInfo", hasPreviousPage: true, hasNextPage: true },
      },
    },
  });
  return {
    cache,
    load,
    seen: () =>
      cache.readFragment({ from: room, fragment: TIMELINE, fragmentName: "Timeline_room" })
        ?.messages,
  };
}

test("far back in a long room the cache holds a window, forgets the rest, and finds the present again", () => {
  const { cache, load, seen } = open();
  const size = () => Object.keys(cache.extract()).filter((id) => id.startsWith("Message:")).length;
  load(edges.length - 100, edges.length, {});
  for (let to = edges.length - 100; to > 0; to -= 100) {
    load(to - 100, to, { before: edges[to]?.cursor ?? "" });
  }
  cache.gc();
  expect(seen()?.edges).toHaveLength(WINDOW);
  expect(seen()?.pageInfo).toMatchObject({ hasPreviousPage: false, hasNextPage: true });
  expect(size()).toBeLessThanOrEqual(WINDOW + 100);

  addMessage(cache, edge(edges.length));
  expect(seen()?.edges).toHaveLength(WINDOW);
  load(WINDOW, WINDOW + 100, { after: edges[WINDOW - 1]?.cursor ?? "" });
  expect(seen()?.edges.at(-1)?.cursor).toBe(edges[WINDOW + 99]?.cursor);

  keepNewest(cache, room.id);
  expect(seen()?.edges.at(-1)?.node.id).toBe(edge(edges.length).node.id);
  expect(seen()?.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
  expect(size()).toBe(100);
});
