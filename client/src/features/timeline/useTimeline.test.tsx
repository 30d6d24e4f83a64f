import { act, cleanup, render, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openBrowser } from "../../testing/browser";
import type { ChatServer } from "../../testing/server";
import { useOutbox } from "../outbox/useOutbox";
import { useRooms } from "../rooms/useRooms";
import { useSession } from "../session/useSession";
import { ChatProvider } from "../stream/ChatProvider";
import { type Timeline, useTimeline } from "./useTimeline";

afterEach(cleanup);

type Seen = { timeline: Timeline } & ReturnType<typeof useOutbox> & ReturnType<typeof useRooms>;

/** A room that is looked at, with everything that was ever rendered of it. */
function look(openRoomId = "room:0") {
  vi.spyOn(Math, "random").mockReturnValue(0);
  const { server, network } = openBrowser();
  const renders: Seen[] = [];
  function Room({ roomId }: { roomId: string }) {
    renders.push({ timeline: useTimeline(roomId), ...useOutbox(), ...useRooms() });
    return null;
  }
  function Page({ roomId }: { roomId: string }) {
    return useSession().status === "signedIn" && <Room roomId={roomId} />;
  }
  const page = (roomId: string) => (
    <ChatProvider openRoomId={() => openRoomId}>
      <Page roomId={roomId} />
    </ChatProvider>
  );
  const now = () => {
    const seen = renders.at(-1);
    if (!seen) throw new Error("Nothing is rendered yet.");
    return seen;
  };
  let rerender: (ui: React.ReactNode) => void = () => {};
  return {
    server,
    network,
    renders,
    now,
    texts: () => now().timeline.items.map(({ key }) => textOf(server, key)),
    async arrive() {
      ({ rerender } = render(page(openRoomId)));
      await waitFor(() => expect(now().timeline.status).not.toBe("loading"));
      await waitFor(() => expect(server.sockets.size).toBe(1));
    },
    go: (roomId: string) => rerender(page(roomId)),
  };
}

function textOf(server: ChatServer, key: string): string | undefined {
  const edges = server.rooms.flatMap((room) => room.edges);
  return edges.find(({ node }) => node.id === key || node.clientMessageId === key)?.node.text;
}

describe("requests", () => {
  test("one for the page; one for a room that is opened; none for one that was open before", async () => {
    const { server, now, arrive, go } = look();
    server.openPrivateRoom("Pablo", "Joe");
    for (let number = 0; number < 80; number++) server.say("Joe", `text ${number}`);
    server.say("Joe", "psst", "room:1:2");
    await arrive();
    expect(now().timeline.items).toHaveLength(50);
    go("room:1:2");
    await waitFor(() => expect(now().timeline).toMatchObject({ status: "ready", items: [{}] }));
    server.say("Joe", "while elsewhere");
    go("room:0");
    await waitFor(() => expect(now().timeline.items).toHaveLength(51));
    expect(now().timeline.status).toBe("ready");
    go("room:1:2");
    go("room:0");
    expect(server.asked).toEqual(["Page", "OpenRoom"]);
  });

  test("messages that arrive while a room is being opened are not lost", async () => {
    const { server, now, arrive, go } = look();
    server.openPrivateRoom("Pablo", "Joe");
    server.say("Joe", "one", "room:1:2");
    await arrive();
    let answer = () => {};
    server.beforeAnswer = () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      });
    go("room:1:2");
    await waitFor(() => expect(server.asked).toContain("OpenRoom"));
    server.say("Joe", "two", "room:1:2");
    await act(() => new Promise((resolve) => setTimeout(resolve, 30)));
    answer();
    await waitFor(() => expect(now().timeline.items).toHaveLength(2));
  });

  test("a room that is not there, and one that does not come at first", async () => {
    const { server, network, now, arrive, go } = look();
    await arrive();
    go("room:9:9");
    await waitFor(() => expect(now().timeline.status).toBe("notFound"));
    server.openPrivateRoom("Pablo", "Joe");
    network.isUp = false;
    go("room:1:2");
    await waitFor(() => expect(now().timeline.status).toBe("failed"));
    expect(now().timeline.failure).toMatchObject({ code: "UNREACHABLE" });
    network.isUp = true;
    await waitFor(() => expect(now().timeline.status).toBe("ready"));
  });
});

describe("sending", () => {
  test("in every render the message is there once, with one key, until and after it is confirmed", async () => {
    const { server, renders, now, arrive } = look();
    server.say("Joe", "hello");
    await arrive();
    act(() => void now().send("room:0", "mine"));
    const first = renders.findIndex(({ timeline }) =>
      timeline.items.some(({ kind }) => kind === "pending"),
    );
    const key = renders[first]?.timeline.items.at(-1)?.key;
    await waitFor(() => expect(now().timeline.items.at(-1)?.kind).toBe("message"));
    await act(() => new Promise((resolve) => setTimeout(resolve, 50)));
    const kinds = renders
      .slice(first)
      .map(({ timeline }) =>
        timeline.items.filter((item) => item.key === key).map(({ kind }) => kind),
      );
    for (const kind of kinds) expect(kind).toHaveLength(1);
    expect(new Set(kinds.flat())).toEqual(new Set(["pending", "message"]));
    expect(now().waiting("room:0")).toBe(0);
  });

  test("what others say does not wait for it, and it goes out in order after a break", async () => {
    const { server, network, now, texts, arrive } = look();
    await arrive();
    network.isUp = false;
    server.drop();
    for (const text of ["one", "two", "three"]) act(() => void now().send("room:0", text));
    server.say("Joe", "meanwhile");
    expect(now().waiting("room:0")).toBe(3);
    network.isUp = true;
    await waitFor(() => expect(now().waiting("room:0")).toBe(0), { timeout: 5_000 });
    expect(server.texts()).toEqual(["meanwhile", "one", "two", "three"]);
    await waitFor(() => expect(texts()).toEqual(server.texts()));
  });
});

describe("history", () => {
  test("is read back to its beginning; a jump to the present keeps the newest and asks for nothing", async () => {
    const { server, now, texts, arrive } = look();
    for (let number = 0; number < 280; number++) server.say("Joe", `text ${number}`);
    await arrive();
    while (now().timeline.hasOlder) await act(() => now().timeline.loadOlder());
    expect(texts()).toEqual(server.texts());
    expect(server.asked).toEqual(["Page", "RoomPage", "RoomPage", "RoomPage"]);
    await act(() => now().timeline.jumpToPresent());
    await waitFor(() => expect(texts()).toEqual(server.texts().slice(-100)));
    expect(now().timeline).toMatchObject({ hasNewer: false, hasOlder: true });
    expect(server.asked).toHaveLength(4);
  });

  test("one page is asked for at a time", async () => {
    const { server, now, arrive } = look();
    for (let number = 0; number < 300; number++) server.say("Joe", `text ${number}`);
    await arrive();
    const { loadOlder } = now().timeline;
    await act(() => Promise.all([loadOlder(), loadOlder(), loadOlder()]));
    expect(server.asked).toEqual(["Page", "RoomPage"]);
    expect(now().timeline.items).toHaveLength(150);
  });
});

test("who comes and goes is noted among the messages of a public room", async () => {
  const { server, now, arrive } = look();
  server.say("Joe", "before");
  await arrive();
  server.setOnline("Joe", true);
  server.setOnline("Pablo", true);
  await waitFor(() =>
    expect(now().timeline.items.map(({ kind }) => kind)).toEqual(["message", "note"]),
  );
  server.say("Joe", "after");
  await waitFor(() =>
    expect(now().timeline.items.map(({ kind }) => kind)).toEqual(["message", "note", "message"]),
  );
  expect(now().timeline.items[1]).toMatchObject({ username: "Joe", online: true });
});

test("rooms are in the order of interest, and unread messages are counted until the room is opened", async () => {
  const { server, now, arrive, go } = look();
  server.openPrivateRoom("Pablo", "Joe");
  server.openPrivateRoom("Pablo", "Mary");
  server.say("Mary", "old", "room:1:3");
  await arrive();
  expect(now().rooms.map(({ id }) => id)).toEqual(["room:0", "room:1:3", "room:1:2"]);
  server.say("Joe", "one", "room:1:2");
  server.say("Joe", "two", "room:1:2");
  server.say("Pablo", "own, from elsewhere", "room:1:3");
  server.say("Joe", "here", "room:0");
  await waitFor(() => expect(now().unread("room:1:2")).toBe(2));
  expect(now().rooms.map(({ id }) => id)).toEqual(["room:0", "room:1:3", "room:1:2"]);
  expect([now().unread("room:0"), now().unread("room:1:3")]).toEqual([0, 0]);
  go("room:1:2");
  await waitFor(() => expect(now().unread("room:1:2")).toBe(0));
});
