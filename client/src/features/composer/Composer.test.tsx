import { cleanup, createEvent, fireEvent, render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Composer } from "./Composer";

afterEach(cleanup);

vi.mock("./useDraft", () => ({
  useDraft: () => {
    const [text, setText] = useState("");
    return { text, setText, clear: () => setText("") };
  },
}));

const onSend = vi.fn();
let hasTouchKeyboard = false;

beforeEach(() => {
  onSend.mockClear();
  hasTouchKeyboard = false;
  vi.stubGlobal("matchMedia", () => ({ matches: hasTouchKeyboard }));
});

function open(): HTMLTextAreaElement {
  render(<Composer roomId="room:0" roomName="General" inputRef={null} onSend={onSend} />);
  return screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message to General" });
}

test("Enter sends what was written and empties the input", async () => {
  const input = open();
  await userEvent.type(input, "Hello{Enter}");
  expect(onSend).toHaveBeenCalledExactlyOnceWith("Hello");
  expect(input.value).toBe("");
});

test("Shift+Enter makes a line", async () => {
  const input = open();
  await userEvent.type(input, "one{Shift>}{Enter}{/Shift}two");
  expect(onSend).not.toHaveBeenCalled();
  expect(input.value).toBe("one\ntwo");
});

test.each([
  ["while composing", { isComposing: true }],
  ["as Safari reports it at the end of a composition", { keyCode: 229 }],
])("Enter that belongs to an input method does not send: %s", async (_, init) => {
  const input = open();
  await userEvent.type(input, "こん");
  const enter = createEvent.keyDown(input, { key: "Enter", ...init });
  fireEvent(input, enter);
  expect(onSend).not.toHaveBeenCalled();
  expect(enter.defaultPrevented).toBe(false);
});

test("on a touch keyboard Enter makes a line, and the button sends", async () => {
  hasTouchKeyboard = true;
  const input = open();
  await userEvent.type(input, "one{Enter}two");
  expect(onSend).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("button", { name: "Send" }));
  expect(onSend).toHaveBeenCalledExactlyOnceWith("one\ntwo");
});

test("white space alone is not a message, and none is sent around one", async () => {
  const input = open();
  await userEvent.type(input, "  {Enter}");
  expect(onSend).not.toHaveBeenCalled();
  await userEvent.type(input, "x {Enter}");
  expect(onSend).toHaveBeenCalledExactlyOnceWith("x");
});

test("the limit counts characters as the server does, and what is over it is not sent", async () => {
  const input = open();
  fireEvent.change(input, { target: { value: "👍".repeat(4_000) } });
  expect(screen.getByText("0 characters left")).toBeTruthy();
  fireEvent.change(input, { target: { value: "👍".repeat(4_001) } });
  expect(screen.getByText("1 character too many")).toBeTruthy();
  await userEvent.type(input, "{Enter}");
  expect(onSend).not.toHaveBeenCalled();
  fireEvent.change(input, { target: { value: "👍".repeat(4_000) } });
  await userEvent.type(input, "{Enter}");
  expect(onSend).toHaveBeenCalledOnce();
});
