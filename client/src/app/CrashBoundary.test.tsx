import { cleanup, render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { CrashBoundary } from "./CrashBoundary";

afterEach(cleanup);

function Faulty(): never {
  throw new Error("A fault.");
}

test("a fault is told in words, with a way out, and to the console", async () => {
  const told = vi.spyOn(console, "error").mockReturnValue();
  const reload = vi.fn();
  vi.stubGlobal("location", { reload });
  render(
    <CrashBoundary>
      <Faulty />
    </CrashBoundary>,
  );
  expect(screen.getByRole("heading").textContent).toBe("Something went wrong");
  await userEvent.click(screen.getByRole("button", { name: "Reload the page" }));
  expect(reload).toHaveBeenCalledOnce();
  expect(told.mock.calls.flat().join(" ")).toContain("A fault.");
  vi.unstubAllGlobals();
});
