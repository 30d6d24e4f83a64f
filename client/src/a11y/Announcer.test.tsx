import { act, cleanup, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "./Announcer";

let hear: (message: { text: string; sender: { username: string; isBot: boolean } }) => void;
vi.mock("../features/stream/useLiveMessages", () => ({
  useLiveMessages: (listener: typeof hear) => {
    hear = listener;
  },
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function arrive(...texts: string[]) {
  for (const text of texts) hear({ text, sender: { username: "Mary", isBot: false } });
}

function spoken(): string | null | undefined {
  act(() => void vi.advanceTimersByTime(1_000));
  return document.querySelector("[aria-live=polite]")?.textContent;
}

test("a single message is read with its words", () => {
  render(<Announcer />);
  arrive("Hello");
  expect(spoken()).toBe("Mary: Hello");
});

test("a bot is called one", () => {
  render(<Announcer />);
  hear({ text: "Hello", sender: { username: "Echo", isBot: true } });
  expect(spoken()).toBe("Echo (bot): Hello");
});

test("several within a second are one announcement", () => {
  render(<Announcer />);
  arrive("a", "b", "c");
  expect(spoken()).toBe("3 new messages");
  arrive("d");
  expect(spoken()).toBe("Mary: d");
});

test("the same words are read again", () => {
  render(<Announcer />);
  arrive("Hello");
  spoken();
  const before = document.querySelector("[aria-live=polite]")?.firstChild;
  arrive("Hello");
  expect(spoken()).toBe("Mary: Hello");
  expect(document.querySelector("[aria-live=polite]")?.firstChild).not.toBe(before);
});

test("there is one live region", () => {
  render(<Announcer />);
  expect(document.querySelectorAll("[aria-live]")).toHaveLength(1);
});
