import { ApolloClient, ApolloLink, HttpLink } from "@apollo/client";
import { ErrorLink } from "@apollo/client/link/error";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import type { Client } from "graphql-ws";
import { toFailure } from "../failure";
import { createCache } from "./cache";
import { resumeLink } from "./resumeLink";

/** An answer that takes longer is not waited for. */
const PATIENCE = 10_000;

interface Connections {
  socket: Client;
  /** Where the stream of events resumes. */
  cursor(): string;
  onUnauthenticated(): void;
}

/** One client is made for each load of the page's data, so nothing of another one can show. */
export function createApolloClient({
  socket,
  cursor,
  onUnauthenticated,
}: Connections): ApolloClient {
  const watchSession = new ErrorLink(({ error }) => {
    if (toFailure(error).code === "UNAUTHENTICATED") onUnauthenticated();
  });
  const stream = ApolloLink.from([resumeLink(cursor), new GraphQLWsLink(socket)]);
  const http = new HttpLink({ uri: "/graphql", fetch: fetchInTime });
  return new ApolloClient({
    cache: createCache(),
    dataMasking: true,
    devtools: { enabled: import.meta.env.DEV },
    link: watchSession.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      stream,
      http,
    ),
  });
}

async function fetchInTime(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const limit = AbortSignal.timeout(PATIENCE);
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
  return fetch(input, { ...init, signal });
}
