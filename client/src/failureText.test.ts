import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type FailureCode, failureCodes } from "./failure";
import { failureText } from "./failureText";
import { words } from "./words";

/** Nothing better can be said of these: the first is anything, the second is never shown. */
const unexpected: readonly FailureCode[] = ["INTERNAL_SERVER_ERROR", "CURSOR_EXPIRED"];

test.each(failureCodes)("%s has words", (code) => {
  const text = failureText({ code, message: "What the server says.", status: 413 });
  expect(text).not.toBe("");
  expect(text === words.failures.unexpected).toBe(unexpected.includes(code));
});

test.each(["../services/errors.py", "../execution/errors.py"])(
  "every code of %s is known",
  (file) => {
    const codes = [...readFileSync(file, "utf8").matchAll(/= "([A-Z]+(?:_[A-Z]+)*)"/g)];
    expect(codes).not.toEqual([]);
    expect(failureCodes).toEqual(expect.arrayContaining(codes.map(([, code]) => code)));
  },
);

describe("who is too fast is told when to try again", () => {
  test.each([
    [undefined, "Wait a moment"],
    [1, "in 1 second."],
    [12.2, "in 13 seconds."],
  ])("%j", (retryAfter, text) => {
    const failure = { code: "RATE_LIMITED" as const, message: "" };
    expect(failureText({ ...failure, ...(retryAfter !== undefined && { retryAfter }) })).toContain(
      text,
    );
  });
});
