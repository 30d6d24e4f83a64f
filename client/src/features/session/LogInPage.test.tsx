import { cleanup, render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Failure } from "../../failure";
import { LogInPage } from "./LogInPage";

afterEach(cleanup);

const logIn = vi.fn<(credentials: object) => Promise<Failure | null>>();
const register = vi.fn<(credentials: object) => Promise<Failure | null>>();
vi.mock("./useSession", () => ({
  useLogIn: () => [logIn, false],
  useRegister: () => [register, false],
}));

const name = () => screen.getByRole<HTMLInputElement>("textbox", { name: "Name" });
const password = () => screen.getByLabelText<HTMLInputElement>("Password");
const noteOf = (input: HTMLElement) =>
  document.getElementById(input.getAttribute("aria-describedby") ?? "")?.textContent;

beforeEach(() => {
  logIn.mockReset().mockResolvedValue(null);
  register.mockReset().mockResolvedValue(null);
});

test("a demo user is one to pick and one to confirm", async () => {
  render(<LogInPage reason="none" />);
  await userEvent.click(screen.getByRole("button", { name: "Mary" }));
  expect(document.activeElement?.textContent).toBe("Log in");
  await userEvent.keyboard("{Enter}");
  expect(logIn).toHaveBeenCalledExactlyOnceWith({ username: "Mary", password: "password123" });
});

function putMark(name: string) {
  const mark = Object.assign(document.createElement("meta"), { name, content: "false" });
  document.head.append(mark);
  onTestFinished(() => mark.remove());
}

test("nobody is offered an account by a server whose operator makes them", () => {
  putMark("parley-registration");
  render(<LogInPage reason="none" />);
  expect(screen.queryByRole("button", { name: /create an account/i })).toBeNull();
});

test("nobody is offered by a server without demo users", () => {
  putMark("parley-demo");
  render(<LogInPage reason="none" />);
  expect(screen.queryByRole("button", { name: "Mary" })).toBeNull();
  expect(screen.getByRole("main").textContent).not.toContain("Pick somebody");
});

test("wrong credentials are told at the password, which gets the focus", async () => {
  logIn.mockResolvedValue({ code: "UNAUTHENTICATED", message: "" });
  render(<LogInPage reason="none" />);
  await userEvent.type(name(), "Grace");
  await userEvent.type(password(), "wrong{Enter}");
  expect(noteOf(password())).toBe("The name or the password is wrong.");
  expect(password().getAttribute("aria-invalid")).toBe("true");
  expect(document.activeElement).toBe(password());
});

test("a taken name is told at the name", async () => {
  register.mockResolvedValue({ code: "CONFLICT", message: "" });
  render(<LogInPage reason="none" />);
  await userEvent.click(screen.getByRole("button", { name: /create an account/i }));
  await userEvent.type(name(), "Pablo");
  await userEvent.type(password(), "secret{Enter}");
  expect(noteOf(name())).toBe("This name is taken, or looks like one that is. Choose another one.");
  expect(document.activeElement).toBe(name());
});

test.each<[Failure, string]>([
  [
    { code: "RATE_LIMITED", message: "", retryAfter: 30 },
    "Too many tries. Try again in 30 seconds.",
  ],
  [{ code: "RATE_LIMITED", message: "" }, "Too many tries. Wait a moment, then try again."],
  [{ code: "UNAVAILABLE", message: "" }, "The server is away. Try again in a moment."],
  [
    { code: "UNREACHABLE", message: "Failed to fetch" },
    "No answer from the server. Check your connection, then try again.",
  ],
])("%o is told in plain words", async (failure, text) => {
  logIn.mockResolvedValue(failure);
  render(<LogInPage reason="none" />);
  await userEvent.type(name(), "Grace");
  await userEvent.type(password(), "x{Enter}");
  expect(screen.getByRole("alert").textContent).toBe(text);
});

test("what is missing is told before the server is asked", async () => {
  render(<LogInPage reason="none" />);
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  expect(noteOf(name())).toBe("Type a name.");
  await userEvent.type(name(), "Grace{Enter}");
  expect(noteOf(password())).toBe("Type a password.");
  expect(logIn).not.toHaveBeenCalled();
});

test("an expired session is explained", () => {
  render(<LogInPage reason="expired" />);
  expect(screen.getByRole("status").textContent).toMatch(/expired/);
});
