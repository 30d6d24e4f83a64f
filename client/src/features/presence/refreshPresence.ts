import type { ApolloClient } from "@apollo/client";
import { fetchIntoCache } from "../../apollo/fetchIntoCache";
import { graphql } from "../../gql";

const PRESENCES = graphql(`
  query Presences($ids: [ID!]!) {
    nodes(ids: $ids) { id ... on User { ...Presence @unmask } }
  }
`);

/** As many as the server looks up at once. */
const AT_ONCE = 100;

/** Asks who of the users that the page knows is online; the answer goes to the cache. */
export async function refreshPresence(client: ApolloClient): Promise<void> {
  const ids = knownUsers(client);
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    await fetchIntoCache(client, PRESENCES, { ids: ids.slice(start, start + AT_ONCE) });
  }
}

function knownUsers({ cache }: ApolloClient): string[] {
  // The type of what an InMemoryCache extracts: its records by id.
  const records = cache.extract() as Record<string, { __typename?: string; id?: unknown }>;
  return Object.values(records).flatMap(({ __typename, id }) =>
    __typename === "User" && typeof id === "string" ? [id] : [],
  );
}
