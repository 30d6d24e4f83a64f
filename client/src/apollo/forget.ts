import type { ApolloCache } from "@apollo/client";

/** Takes a record that is no more out of the cache, and so out of every list. */
export function forget(cache: ApolloCache, record: { __typename: string; id: string }): void {
  const id = cache.identify(record);
  // Without an id it would be all of the cache's root.
  if (id !== undefined) cache.evict({ id });
}
