import { act, cleanup, render, waitFor } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { openBrowser } from "../../testing/browser";
import { useOpenPrivateRoom, useRooms } from "../rooms/useRooms";
import { useSession } from "../session/useSession";
import { ChatProvider } from "../stream/ChatProvider";
import { usePeople } from "./usePeople";

afterEach(cleanup);

function look(query?: string) {
  const { server } = openBrowser();
  const seen: {
    current?: ReturnType<typeof usePeople> &
      ReturnType<typeof useRooms> & { open: ReturnType<typeof useOpenPrivateRoom> };
  } = {};
  function People() {
    seen.current = { ...usePeople(query), ...useRooms(), open: useOpenPrivateRoom() };
    return null;
  }
  function Page() {
    return useSession().status === "signedIn" && <People />;
  }
  const arrive = () =>
    render(
      <ChatProvider openRoomId={() => null}>
        <Page />
      </ChatProvider>,
    );
  const ids = () => seen.current?.people.map(({ id }) => id);
  return { server, seen, ids, arrive };
}

test("everybody but oneself, page after page", async () => {
  const { server, seen, ids, arrive } = look();
  for (let number = 5; number <= 150; number++)
    server.users.push({ ...server.user("Joe"), id: `user:${number}` });
  arrive();
  await waitFor(() => expect(ids()).toHaveLength(99));
  expect(ids()).not.toContain("user:1");
  expect(seen.current?.hasMore).toBe(true);
  await act(async () => seen.current?.loadMore());
  await waitFor(() => expect(ids()).toHaveLength(149));
  expect(seen.current?.hasMore).toBe(false);
});

test("who is looked for is found on whatever page", async () => {
  const { server, ids, arrive } = look("NEEDLE");
  for (let number = 5; number <= 350; number++)
    server.users.push({ ...server.user("Joe"), id: `user:${number}` });
  server.users.push({ ...server.user("Joe"), id: "user:x", username: "a needle" });
  arrive();
  await waitFor(() => expect(ids()).toEqual(["user:x"]));
  expect(server.asked).toEqual(["Page", "People", "People", "People", "People"]);
});

test("a private room is in the list as soon as it is open; a failure is told", async () => {
  const { server, seen, arrive } = look();
  arrive();
  await waitFor(() => expect(seen.current?.status).toBe("ready"));
  expect(await act(async () => seen.current?.open("user:3"))).toEqual({ roomId: "room:1:3" });
  await waitFor(() =>
    expect(seen.current?.rooms.map(({ id }) => id)).toEqual(["room:0", "room:1:3"]),
  );
  server.beforeRequest = () => {
    throw new TypeError("Failed to fetch");
  };
  expect(await act(async () => seen.current?.open("user:4"))).toMatchObject({
    code: "UNREACHABLE",
  });
});
