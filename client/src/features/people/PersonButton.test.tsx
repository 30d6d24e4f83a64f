import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { openBrowser } from "../../testing/browser";
import { useSession } from "../session/useSession";
import { ChatProvider } from "../stream/ChatProvider";
import { PersonButton } from "./PersonButton";
import { usePeople } from "./usePeople";

afterEach(cleanup);

function People() {
  const { people } = usePeople("");
  return people.map((person) => (
    <PersonButton key={person.id} person={person} onChoose={() => {}} />
  ));
}

function Page() {
  return useSession().status === "signedIn" && <People />;
}

test("a bot is marked, nobody else is", async () => {
  const { server } = openBrowser();
  server.users.push({ ...server.user("Joe"), id: "user:9", username: "Echo", isBot: true });
  render(
    <ChatProvider openRoomId={() => null}>
      <Page />
    </ChatProvider>,
  );
  expect((await screen.findByRole("button", { name: /Echo/ })).textContent).toContain("Echo Bot");
  expect(screen.getByRole("button", { name: /Joe/ }).textContent).not.toContain("Bot");
});
