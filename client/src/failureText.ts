import { type Failure, toFailure } from "./failure";
import { words } from "./words";

/** What happened, in plain words. */
export function failureText({ code, message, status, retryAfter }: Failure): string {
  const texts = words.failures;
  switch (code) {
    case "UNREACHABLE":
      return texts.noAnswer;
    case "UNAVAILABLE":
      return texts.unavailable;
    case "RATE_LIMITED":
      return texts.rateLimited(retryAfter);
    case "UNAUTHENTICATED":
      return texts.loggedOut;
    case "FORBIDDEN":
      return texts.forbidden;
    case "NOT_FOUND":
      return texts.notFound;
    case "CONFLICT":
      return texts.conflict;
    case "BAD_USER_INPUT":
      // The server knows best what it does not accept, and says so in a sentence.
      return message;
    case "TOO_OLD":
      return texts.tooOld;
    case "HTTP_ERROR":
      return texts.refused(status ?? 0);
    case "GRAPHQL_PARSE_FAILED":
    case "GRAPHQL_VALIDATION_FAILED":
      return texts.outdated;
    case "INTERNAL_SERVER_ERROR":
    case "CURSOR_EXPIRED":
      return texts.unexpected;
  }
}

/** The same of what Apollo's hooks call `error`. */
export function errorText(error: unknown): string {
  return failureText(toFailure(error));
}
