import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openBrowser } from "../../testing/browser";
import { failure } from "../../testing/server";
import { ROOMS } from "../rooms/queries";
import { createChat } from "./chat";

const credentials = { username: "Pablo", password: "password123" };

/** As soon as the browser is fast: no wait between attempts. */
function begin(roomId: string | null = "room:0") {
  vi.spyOn(Math, "random").mockReturnValue(0);
  const { server, network } = openBrowser();
  const chat = createChat(() => roomId);
  const status = () => chat.state.get().session.status;
  const start = async () => {
    const stop = chat.start();
    onTestFinished(stop);
    await vi.waitFor(() => expect(status()).not.toBe("loading"));
  };
  const cache = () => JSON.stringify(chat.state.get().client.cache.extract());
  return { server, network, chat, status, start, cache };
}

describe("a page is loaded", () => {
  test("by one request, and then lives on one subscription after its cursor", async () => {
    const { server, start, status, cache } = begin();
    server.say("Joe", "before");
    await start();
    expect(status()).toBe("signedIn");
    await vi.waitFor(() => expect(server.subscribed).toEqual([{ after: "1" }]));
    server.say("Joe", "after");
    await vi.waitFor(() => expect(cache()).toContain("after"));
    expect(cache()).toContain("before");
    expect(server.asked).toEqual(["Page"]);
  });

  test.each([null, "room:0"])("for the address of room %s without a complaint", async (roomId) => {
    const { server, start, status } = begin(roomId);
    const complaints = [vi.spyOn(console, "warn"), vi.spyOn(console, "error")];
    server.openPrivateRoom("Pablo", "Joe");
    server.say("Joe", "hello", "room:1:2");
    await start();
    expect(status()).toBe("signedIn");
    for (const complaint of complaints) expect(complaint).not.toHaveBeenCalled();
  });

  test("to the end of a list of more than a hundred rooms", async () => {
    const { server, start, chat } = begin();
    for (let number = 1; number <= 150; number++) {
      server.rooms.push({ ...server.room("room:0"), id: `room:x:${number}` });
    }
    await start();
    const listed = () => chat.state.get().client.readQuery({ query: ROOMS })?.rooms.nodes.length;
    await vi.waitFor(() => expect(listed()).toBe(151));
    expect(server.asked).toEqual(["Page", "MoreRooms"]);
  });

  test("again and again while the server is away", async () => {
    const { network, start, status } = begin();
    network.isUp = false;
    await start();
    expect(status()).toBe("unreachable");
    network.isUp = true;
    await vi.waitFor(() => expect(status()).toBe("signedIn"));
  });

  test("with the reason, when nobody is logged in", async () => {
    const { server, start, chat } = begin();
    server.viewer = null;
    await start();
    expect(chat.state.get().session).toEqual({ status: "signedOut", reason: "none" });
  });
});

describe("the stream", () => {
  test("resumes after the last event that had a cursor", async () => {
    const { server, start, cache } = begin();
    await start();
    await vi.waitFor(() => expect(server.sockets.size).toBe(1));
    server.say("Joe", "zero");
    server.say("Joe", "one");
    server.setOnline("Joe", true); // Has no cursor.
    await vi.waitFor(() => expect(cache()).toContain("one"));
    server.drop();
    server.say("Joe", "two");
    await vi.waitFor(() => expect(cache()).toContain("two"));
    expect(server.subscribed.map(({ after }) => after)).toEqual(["0", "2"]);
    server.drop(1012);
    await vi.waitFor(() =>
      expect(server.subscribed.map(({ after }) => after)).toEqual(["0", "2", "3"]),
    );
  });

  test("tells of each message once, however soon after it the socket is lost", async () => {
    const { server, start, chat } = begin();
    const told: string[] = [];
    chat.onMessage(({ node }) => told.push(node.text));
    await start();
    await vi.waitFor(() => expect(server.sockets.size).toBe(1));
    server.say("Joe", "one");
    await vi.waitFor(() => expect(told).toEqual(["one"]));
    server.say("Joe", "two"); // Waits to be shown.
    await new Promise((resolve) => setTimeout(resolve));
    server.drop();
    await vi.waitFor(() => expect(server.subscribed).toHaveLength(2));
    server.say("Joe", "three");
    await vi.waitFor(() => expect(told.at(-1)).toBe("three"));
    expect(told).toEqual(["one", "two", "three"]);
  });

  test.each([1001, 1006, 1011, 1012, 1013, 4400, 4500])(
    "comes back when it is closed with %i",
    async (code) => {
      const { server, start, cache } = begin();
      await start();
      await vi.waitFor(() => expect(server.sockets.size).toBe(1));
      server.drop(code);
      server.say("Joe", "missed");
      await vi.waitFor(() => expect(cache()).toContain("missed"));
      expect(server.asked).not.toContain("OpenRoom");
    },
  );

  test("that the server ends with an error begins again", async () => {
    const { server, start, cache } = begin();
    server.replay = () => {
      Reflect.deleteProperty(server, "replay");
      throw failure("UNAVAILABLE");
    };
    await start();
    await vi.waitFor(() => expect(server.subscribed).toHaveLength(2));
    server.say("Joe", "after it");
    await vi.waitFor(() => expect(cache()).toContain("after it"));
  });

  test("that cannot be resumed makes the page's data load again, without what is lost", async () => {
    const { server, start, chat, cache } = begin();
    server.say("Joe", "lost");
    await start();
    await vi.waitFor(() => expect(server.sockets.size).toBe(1));
    const { account } = chat.state.get();
    account?.drafts.set("room:0", "half a thought");
    server.room("room:0").edges.length = 0;
    server.oldestCursor = 2;
    server.say("Joe", "kept");
    server.drop();
    await vi.waitFor(() => expect(server.asked).toEqual(["Page", "Page"]));
    await vi.waitFor(() => expect(cache()).toContain("kept"));
    expect(cache()).not.toContain("lost");
    expect(chat.state.get().account).toBe(account);
    expect(account?.drafts.texts.get()).toEqual({ "room:0": "half a thought" });
  });

  test("tells what somebody else said just now, and neither what was missed nor one's own", async () => {
    const { server, start, chat } = begin();
    const heard: string[] = [];
    chat.onMessage(({ node }, isLive) => isLive && heard.push(node.text));
    await start();
    await vi.waitFor(() => expect(server.sockets.size).toBe(1));
    server.say("Joe", "live");
    server.say("Pablo", "own");
    await vi.waitFor(() => expect(heard).toEqual(["live"]));
    server.drop();
    server.say("Joe", "missed");
    await vi.waitFor(() => expect(server.sockets.size).toBe(1));
    await vi.waitFor(() => expect(server.asked).toContain("Presences"));
    server.say("Joe", "live again");
    await vi.waitFor(() => expect(heard).toEqual(["live", "live again"]));
  });

  test("brings rooms and presence", async () => {
    const { server, start, chat } = begin();
    await start();
    await vi.waitFor(() => expect(server.sockets.size).toBe(1));
    server.openPrivateRoom("Joe", "Pablo");
    server.setOnline("Joe", true);
    await vi.waitFor(() => {
      const rooms = chat.state.get().client.readQuery({ query: ROOMS })?.rooms.nodes;
      expect(rooms?.map(({ id }) => id)).toEqual(["room:0", "room:1:2"]);
    });
    expect(chat.state.get().client.cache.extract()).toMatchObject({
      "User:user:2": { online: true },
    });
    expect(chat.state.get().account?.notes.list.get()).toMatchObject([
      { username: "Joe", online: true },
    ]);
  });

  test("asks who is online after a break, since nobody records that", async () => {
    const { server, start, chat } = begin();
    server.user("Joe").online = true;
    await start();
    await vi.waitFor(() => expect(server.sockets.size).toBe(1));
    server.drop();
    server.user("Joe").online = false;
    await vi.waitFor(() =>
      expect(chat.state.get().client.cache.extract()).toMatchObject({
        "User:user:2": { online: false },
      }),
    );
  });
});

describe("a session", () => {
  test("begins with a log-in, or says what is wrong", async () => {
    const { server, start, chat } = begin();
    server.viewer = null;
    await start();
    expect(await chat.logIn({ ...credentials, password: "?" })).toMatchObject({
      code: "UNAUTHENTICATED",
    });
    expect(chat.state.get().session).toEqual({ status: "signedOut", reason: "none" });
    expect(await chat.logIn(credentials)).toBeNull();
    expect(chat.state.get().session).toMatchObject({
      status: "signedIn",
      viewer: { username: "Pablo" },
    });
  });

  test.each([
    [4401, "ended"],
    [4403, "expired"],
  ])("is over when the socket closes with %i", async (code, reason) => {
    const { server, start, chat } = begin();
    await start();
    await vi.waitFor(() => expect(server.sockets.size).toBe(1));
    server.drop(code);
    await vi.waitFor(() =>
      expect(chat.state.get().session).toEqual({ status: "signedOut", reason }),
    );
    expect(chat.state.get().account).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.sockets.size).toBe(0);
  });

  test("that one ends oneself is no surprise", async () => {
    const { server, start, chat } = begin();
    await start();
    await vi.waitFor(() => expect(server.sockets.size).toBe(1));
    expect(await chat.logOut()).toBeNull();
    expect(chat.state.get().session).toEqual({ status: "signedOut", reason: "none" });
  });

  test("goes on when the log-out does not reach the server", async () => {
    const { network, start, chat, status } = begin();
    await start();
    network.isUp = false;
    expect(await chat.logOut()).toMatchObject({ code: "UNREACHABLE" });
    expect(status()).toBe("signedIn");
  });

  test("never shows what another user has seen", async () => {
    const { server, start, chat, cache } = begin();
    server.openPrivateRoom("Pablo", "Mary");
    server.say("Pablo", "secret", "room:1:3");
    await start();
    expect(cache()).toContain("secret");
    await chat.logOut();
    server.rooms.splice(1);
    await chat.logIn({ ...credentials, username: "Joe" });
    expect(cache()).not.toContain("secret");
    expect(chat.state.get().account?.viewer.username).toBe("Joe");
  });

  test("that another tab begins or ends is this tab's too", async () => {
    const { server, start, chat } = begin();
    await start();
    const other = createChat(() => null);
    onTestFinished(other.start());
    await vi.waitFor(() => expect(other.state.get().session.status).toBe("signedIn"));
    await other.logOut();
    await vi.waitFor(() => expect(chat.state.get().session.status).toBe("signedOut"));
    await other.logIn({ ...credentials, username: "Joe" });
    await vi.waitFor(() =>
      expect(chat.state.get().session).toMatchObject({ viewer: { username: "Joe" } }),
    );
    expect(server.viewer?.username).toBe("Joe");
  });
});
