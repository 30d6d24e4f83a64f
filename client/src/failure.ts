import { CombinedGraphQLErrors, ServerError } from "@apollo/client/errors";

export const failureCodes = [
  // The server's own, from `extensions.code`.
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_FOUND",
  "BAD_USER_INPUT",
  "CONFLICT",
  "RATE_LIMITED",
  "UNAVAILABLE",
  "CURSOR_EXPIRED",
  "INTERNAL_SERVER_ERROR",
  "GRAPHQL_PARSE_FAILED",
  "GRAPHQL_VALIDATION_FAILED",
  /** No answer came. */
  "UNREACHABLE",
  /** An answer that is none of the server's, such as that of a proxy. */
  "HTTP_ERROR",
  /** The message has been waiting for so long that a repeated send might be a second message. */
  "TOO_OLD",
] as const;

export type FailureCode = (typeof failureCodes)[number];

/** Why something that was asked of the server did not happen. */
export interface Failure {
  code: FailureCode;
  message: string;
  /** Of an HTTP_ERROR. */
  status?: number;
  /** The input that is at fault, such as `input.username`. */
  field?: string;
  /** Seconds to wait before asking again. */
  retryAfter?: number;
}

export function toFailure(error: unknown): Failure {
  if (CombinedGraphQLErrors.is(error)) return fromGraphQLError(error.errors[0]);
  if (ServerError.is(error)) return fromStatus(error);
  return { code: "UNREACHABLE", message: error instanceof Error ? error.message : String(error) };
}

interface GraphQLErrorLike {
  message: string;
  extensions?: Record<string, unknown>;
}

function fromGraphQLError(error: GraphQLErrorLike | undefined): Failure {
  const { code, field, retryAfter } = error?.extensions ?? {};
  return {
    // A code that this page does not know yet is the server's fault as well.
    code: failureCodes.find((known) => known === code) ?? "INTERNAL_SERVER_ERROR",
    message: error?.message ?? "",
    ...(typeof field === "string" && { field }),
    ...(typeof retryAfter === "number" && { retryAfter }),
  };
}

/** A status other than 200: from the server with GraphQL errors, or from a proxy before it. */
function fromStatus({ statusCode, bodyText, message }: ServerError): Failure {
  const error = firstErrorOf(bodyText);
  if (error) return fromGraphQLError(error);
  if (statusCode === 429) return { code: "RATE_LIMITED", message };
  if (statusCode >= 500) return { code: "UNAVAILABLE", message };
  return { code: "HTTP_ERROR", status: statusCode, message };
}

function firstErrorOf(bodyText: string): GraphQLErrorLike | undefined {
  try {
    const body: unknown = JSON.parse(bodyText);
    if (typeof body !== "object" || body === null || !("errors" in body)) return undefined;
    const { errors } = body;
    if (!Array.isArray(errors)) return undefined;
    // GraphQL's own shape for an answer that has `errors`.
    return errors[0] as GraphQLErrorLike | undefined;
  } catch {
    return undefined; // Not JSON: no error of the server's.
  }
}

const PASSING = new Set<FailureCode>([
  "UNREACHABLE",
  "UNAVAILABLE",
  "RATE_LIMITED",
  "INTERNAL_SERVER_ERROR",
]);

/** Whether asking again, later, may well succeed. */
export function isPassing({ code }: Failure): boolean {
  return PASSING.has(code);
}
