import { expect, test } from "vitest";
import { roomIdOf, roomPath } from "./routes";

test.each(["room:0", "room:1:2", "a/b?c#d", "100%", "дом"])(
  "the address of %j leads back to it",
  (roomId) => {
    const url = new URL(roomPath(roomId), "http://localhost");
    expect(roomIdOf(url.pathname)).toBe(roomId);
  },
);

test("ids stay readable", () => {
  expect(roomPath("room:1:2")).toBe("/r/room:1:2");
});

test.each(["/", "/r", "/r/", "/r/a/b", "/x/room:0"])("%j names no room", (path) => {
  expect(roomIdOf(path)).toBeNull();
});

test("an address that is encoded wrongly breaks nothing", () => {
  expect(roomIdOf("/r/%")).toBe("%");
});
