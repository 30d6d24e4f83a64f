import { cleanup, render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import type { OutboxEntry } from "../outbox/outbox";
import { Bubble } from "./Bubble";
import { pendingBubble } from "./pendingBubble";

afterEach(cleanup);

const outbox = { send: vi.fn(), retry: vi.fn(), discard: vi.fn(), waiting: () => 0 };
vi.mock("../outbox/useOutbox", () => ({ useOutbox: () => outbox }));

const entry: OutboxEntry = {
  clientMessageId: "c1",
  roomId: "room:0",
  text: "Hello",
  createdAt: "2026-11-24T10:00:00.000Z",
  state: "queued",
};

function show(part: Partial<OutboxEntry>) {
  const placement = { startsDay: false, startsGroup: true, endsGroup: true };
  render(<Bubble {...pendingBubble({ ...entry, ...part }, { placement, isTabStop: true })} />);
}

test("a rejected message says why, and can be sent again or discarded", async () => {
  show({ state: "rejected", failure: { code: "FORBIDDEN", message: "" } });
  expect(screen.getByText("Not sent. You are not allowed to do this.")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(outbox.retry).toHaveBeenCalledExactlyOnceWith("c1");
  await userEvent.click(screen.getByRole("button", { name: "Discard" }));
  expect(outbox.discard).toHaveBeenCalledExactlyOnceWith("c1");
});

test("a limited rate says when to try again", () => {
  show({ state: "failed", failure: { code: "RATE_LIMITED", message: "", retryAfter: 2.4 } });
  expect(screen.getByText("Not sent yet. Too many tries. Try again in 3 seconds.")).toBeTruthy();
});

test.each(["queued", "sending"] as const)("a message that is %s has no actions", (state) => {
  show({ state });
  expect(screen.getByText("Hello")).toBeTruthy();
  expect(screen.queryByRole("button")).toBeNull();
});
