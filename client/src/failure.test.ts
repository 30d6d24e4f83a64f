import { CombinedGraphQLErrors, ServerError } from "@apollo/client/errors";
import { describe, expect, test } from "vitest";
import { type FailureCode, isPassing, toFailure } from "./failure";

function serverError(status: number, body: string): ServerError {
  return new ServerError("status", { response: new Response(null, { status }), bodyText: body });
}

describe("a failure", () => {
  test("of the server has its code, the input at fault and the time to wait", () => {
    const extensions = { code: "BAD_USER_INPUT", field: "input.username", retryAfter: 3 };
    const error = new CombinedGraphQLErrors({ errors: [{ message: "Too long.", extensions }] });
    expect(toFailure(error)).toEqual({ message: "Too long.", ...extensions });
  });

  test.each([{}, { extensions: { code: "SOMETHING_NEW" } }])(
    "without a code that is known is the server's fault: %j",
    (rest) => {
      const error = new CombinedGraphQLErrors({ errors: [{ message: "?", ...rest }] });
      expect(toFailure(error)).toEqual({ code: "INTERNAL_SERVER_ERROR", message: "?" });
    },
  );

  test("with a status is what the body says", () => {
    const body = {
      errors: [{ message: "Slow down.", extensions: { code: "RATE_LIMITED", retryAfter: 9 } }],
    };
    expect(toFailure(serverError(429, JSON.stringify(body)))).toMatchObject({
      code: "RATE_LIMITED",
      retryAfter: 9,
    });
  });

  test.each([
    [502, "<html>Bad gateway</html>", "UNAVAILABLE"],
    [503, "{}", "UNAVAILABLE"],
    [429, "", "RATE_LIMITED"],
    [413, "null", "HTTP_ERROR"],
  ])("with status %i from a proxy", (status, body, code) => {
    expect(toFailure(serverError(status, body)).code).toBe(code);
  });

  test.each([
    new TypeError("Failed to fetch"),
    new DOMException("The operation timed out.", "TimeoutError"),
    "something",
  ])("without an answer is UNREACHABLE: %s", (error) => {
    expect(toFailure(error).code).toBe("UNREACHABLE");
  });

  test("passes, or does not", () => {
    const passes = (code: FailureCode) => isPassing({ code, message: "" });
    expect(passes("UNREACHABLE") && passes("UNAVAILABLE") && passes("RATE_LIMITED")).toBe(true);
    expect(passes("INTERNAL_SERVER_ERROR")).toBe(true);
    expect(passes("FORBIDDEN") || passes("BAD_USER_INPUT") || passes("CONFLICT")).toBe(false);
    expect(passes("HTTP_ERROR")).toBe(false);
  });
});
