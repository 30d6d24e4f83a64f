import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { openBrowser } from "../../testing/browser";
import type { ChatServer } from "../../testing/server";
import { words } from "../../words";
import { useSession } from "../session/useSession";
import { ChatProvider } from "../stream/ChatProvider";
import { SettingsPage } from "./SettingsPage";

afterEach(cleanup);

const { bots, sessions } = words;

function Page() {
  return useSession().status === "signedIn" && <SettingsPage />;
}

async function visit(prepare: (server: ChatServer) => void = () => {}) {
  const { server, network } = openBrowser();
  prepare(server);
  render(
    <ChatProvider openRoomId={() => null}>
      <Page />
    </ChatProvider>,
  );
  await screen.findByRole("heading", { name: words.settings.title });
  return { server, network, own: server.belongings };
}

async function press(name: string): Promise<void> {
  await userEvent.click(await screen.findByRole("button", { name }));
}

const dialog = () => screen.findByRole("dialog");
const cards = (title: string) =>
  within(screen.getByRole("region", { name: title }))
    .queryAllByRole("heading", { level: 3 })
    .map(({ textContent }) => textContent);

test("sessions are listed, the present one first, and end one by one", async () => {
  const { own } = await visit(({ belongings }) => {
    belongings.addSession("Safari on iPhone");
    belongings.addSession("");
    belongings.sessions.reverse();
  });
  await screen.findByText("Safari on iPhone");
  expect(cards(sessions.title)).toEqual([
    `Firefox on Linux ${sessions.current}`,
    sessions.unnamed,
    "Safari on iPhone",
  ]);
  await press(screen.getByRole("button", { name: /iPhone/ }).getAttribute("aria-label") ?? "");
  await waitFor(() => expect(cards(sessions.title)).toHaveLength(2));
  expect(own.sessions.map(({ device }) => device)).not.toContain("Safari on iPhone");
  expect(document.activeElement?.textContent).toBe(sessions.title);
});

test("a session that has ended by itself goes from the list; any other failure is told", async () => {
  const { own, network } = await visit(({ belongings }) => {
    belongings.addSession("Safari on iPhone");
    belongings.addSession("curl/8.1");
  });
  const end = async (name: RegExp) => userEvent.click(await screen.findByRole("button", { name }));
  network.isUp = false;
  await end(/curl/);
  expect((await screen.findByRole("alert")).textContent).toBe(words.failures.noAnswer);
  expect(cards(sessions.title)).toHaveLength(3);
  network.isUp = true;
  own.sessions.pop();
  await end(/curl/);
  await waitFor(() => expect(cards(sessions.title)).toHaveLength(2));
  expect(screen.queryByRole("alert")).toBeNull();
});

test("all other sessions end together, when that is confirmed", async () => {
  const { own } = await visit(({ belongings }) => {
    belongings.addSession("Safari on iPhone");
    belongings.addSession("curl/8.1");
  });
  await press(sessions.endOthers);
  await userEvent.click(within(await dialog()).getByRole("button", { name: words.cancel }));
  expect(own.sessions).toHaveLength(3);
  await press(sessions.endOthers);
  await userEvent.click(within(await dialog()).getByRole("button", { name: sessions.endOthers }));
  await waitFor(() => expect(cards(sessions.title)).toHaveLength(1));
  expect(own.sessions).toHaveLength(1);
  expect(screen.queryByRole("button", { name: sessions.endOthers })).toBeNull();
});

test("a list that does not come says why, and can be asked for again", async () => {
  let isFaulty = true;
  await visit((server) => {
    server.belongings.addBot("Echo");
    server.beforeRequest = (operation) => {
      if (operation === "Bots" && isFaulty) throw new TypeError("Failed to fetch");
    };
  });
  expect((await screen.findByRole("alert")).textContent).toBe(words.failures.noAnswer);
  expect(screen.queryByRole("button", { name: bots.create })).toBeNull();
  isFaulty = false;
  await press(words.settings.retry);
  await waitFor(() => expect(cards(bots.title)).toEqual(["Echo"]));
});

test("a new bot's token is shown once, to be copied", async () => {
  const { own } = await visit();
  await screen.findByText(bots.none);
  await press(bots.create);
  await userEvent.type(screen.getByLabelText(bots.username), "Echo");
  await userEvent.click(screen.getByRole("checkbox", { name: bots.scope.SEND }));
  await press(bots.createSubmit);
  const token = await screen.findByLabelText<HTMLInputElement>(bots.tokenLabel);
  expect(token.value).toBe(own.lastToken);
  expect(document.activeElement).toBe(token);
  expect(token.selectionEnd).toBe(own.lastToken.length);
  expect(own.bots[0]?.scopes).toEqual(["READ"]);

  // A page without TLS has no clipboard.
  await press(bots.copy);
  await screen.findByText(bots.copyByHand);
  const writeText = vi.fn(async () => {});
  vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
  await press(bots.copy);
  await screen.findByText(bots.copied);
  expect(writeText).toHaveBeenCalledExactlyOnceWith(own.lastToken);

  await press(bots.done);
  expect(cards(bots.title)).toEqual(["Echo"]);
  expect(document.body.innerHTML).not.toContain(own.lastToken);
});

test("what is wrong with a new bot is told where it is wrong", async () => {
  const { own } = await visit(({ belongings }) => belongings.addBot("Echo"));
  await press(bots.create);
  await press(bots.createSubmit);
  await screen.findByText(words.fields.usernameMissing);
  const username = screen.getByLabelText(bots.username);
  expect(document.activeElement).toBe(username);

  await userEvent.type(username, "Echo");
  await press(bots.createSubmit);
  await screen.findByText(words.failures.nameTaken);
  expect(username.getAttribute("aria-invalid")).toBe("true");

  await userEvent.type(username, " again");
  for (const box of screen.getAllByRole("checkbox")) await userEvent.click(box);
  await press(bots.createSubmit);
  await screen.findByText(bots.scopesMissing);
  await userEvent.click(screen.getByRole("checkbox", { name: bots.scope.READ }));

  own.addBot("Second");
  own.addBot("Third");
  await press(bots.createSubmit);
  await screen.findByText(bots.tooMany);
});

test("a token is replaced, and revoked", async () => {
  const { own } = await visit(({ belongings }) => belongings.addBot("Echo", ["SEND"]));
  await press(bots.of(bots.rotate, "Echo"));
  const box = (name: string) => screen.getByRole<HTMLInputElement>("checkbox", { name });
  expect([box(bots.scope.READ).checked, box(bots.scope.SEND).checked]).toEqual([false, true]);
  await userEvent.click(box(bots.scope.READ));
  await press(bots.rotateSubmit);
  expect((await screen.findByLabelText<HTMLInputElement>(bots.tokenLabel)).value).toBe(
    "bot-token-2",
  );
  expect(own.bots[0]?.scopes).toEqual(["READ", "SEND"]);
  await press(bots.done);

  await press(bots.of(bots.revoke, "Echo"));
  await press(bots.revoke);
  await screen.findByText(bots.tokenless);
  expect(own.bots[0]?.tokenIssuedAt).toBeNull();
  expect(screen.queryByRole("button", { name: bots.of(bots.revoke, "Echo") })).toBeNull();
});

test("a bot is deleted when that is confirmed, and a failure is told there", async () => {
  let isFaulty = true;
  const { own } = await visit((server) => {
    server.belongings.addBot("Echo");
    server.beforeRequest = (operation) => {
      if (operation === "DeleteBot" && isFaulty) throw new TypeError("Failed to fetch");
    };
  });
  await press(bots.of(bots.delete, "Echo"));
  await waitFor(() => expect(document.activeElement?.textContent).toBe(words.cancel));
  await press(bots.delete);
  expect((await screen.findByRole("alert")).textContent).toBe(words.failures.noAnswer);
  isFaulty = false;
  await press(bots.delete);
  await screen.findByText(bots.none);
  expect(own.bots).toEqual([]);
});

test("a bot goes into public rooms, and out of them", async () => {
  const { own } = await visit((server) => {
    server.belongings.addBot("Echo");
    server.openPrivateRoom("Pablo", "Joe");
  });
  await press(bots.of(bots.add, "Echo"));
  const rooms = within(await dialog()).getByRole("list");
  expect(rooms.textContent).toBe("General");
  await press("General");
  await press(bots.remove("Echo", "General"));
  await screen.findByText(bots.noRooms);
  expect(own.bots[0]?.roomIds.size).toBe(0);

  own.bots[0]?.roomIds.add("room:0");
  await press(bots.of(bots.add, "Echo"));
  await press("General");
  await screen.findByRole("button", { name: bots.remove("Echo", "General") });
  await press(bots.of(bots.add, "Echo"));
  await screen.findByText(bots.addNone);
});
