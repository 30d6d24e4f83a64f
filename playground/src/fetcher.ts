import type { GraphiQLProps } from "graphiql";
import { type ExecutionResult, getOperationAST } from "graphql";
import { createClient } from "graphql-ws";

type Fetcher = GraphiQLProps["fetcher"];
type Request = Parameters<Fetcher>[0];
type RequestHeaders = Record<string, string>;

const endpoint = new URL(location.pathname, location.origin);

export const fetcher: Fetcher = (request, { documentAST, headers = {} } = {}) => {
  const operation = documentAST && getOperationAST(documentAST, request.operationName);
  return operation?.operation === "subscription"
    ? subscribe(request, headers)
    : post(request, headers);
};

async function post(request: Request, userHeaders: RequestHeaders) {
  const headers = new Headers({
    accept: "application/graphql-response+json, application/json",
    "content-type": "application/json",
  });
  for (const [name, value] of Object.entries(userHeaders)) headers.set(name, value);
  const body = JSON.stringify(request);
  const response = await fetch(endpoint, {
    method: "POST",
    credentials: "same-origin",
    headers,
    body,
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw failure(`The server answered ${response.status} ${response.statusText}: ${text}`);
  }
}

/** A socket per subscription: its handshake carries the cookie as it is now, after any log-in. */
function subscribe(request: Request, headers: RequestHeaders): AsyncIterable<ExecutionResult> {
  const authorization = new Headers(headers).get("authorization");
  const client = createClient({
    url: endpoint.href.replace(/^http/, "ws"),
    connectionParams: authorization ? { authorization } : {},
    retryAttempts: 0, // Whoever tries out the API wants to see when a subscription ends.
  });
  const results = client.iterate(request) as AsyncIterableIterator<ExecutionResult>;
  return {
    // Not a generator: that could not be left while it waits for the next event.
    [Symbol.asyncIterator]: () => ({
      next: () => results.next().catch(explain),
      return: () => results.return!(),
    }),
  };
}

function explain(error: unknown): never {
  if (!(error instanceof CloseEvent)) throw error;
  throw failure(`The socket was closed: ${error.code} ${error.reason}`.trim());
}

function failure(message: string): Error {
  const error = new Error(message);
  delete error.stack; // GraphiQL would show it.
  return error;
}
