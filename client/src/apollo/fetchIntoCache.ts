import type { ApolloClient, OperationVariables, TypedDocumentNode, Unmasked } from "@apollo/client";

/**
 * Asks the server and writes the answer to the cache. Apollo's own policies would read it back as well, and with
 * it the whole of each list of which the answer is a page.
 *
 * @param query unmasks each fragment that it spreads, so that the answer is whole.
 */
export async function fetchIntoCache<Data, Variables extends OperationVariables>(
  client: ApolloClient,
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Unmasked<Data>> {
  const answer = await client.query({ query, variables, fetchPolicy: "no-cache" });
  if (!answer.data) throw new Error("The answer is empty.");
  // As the query is to be; what is masked all the same makes Apollo complain of missing fields.
  const data = answer.data as Unmasked<Data>;
  client.cache.writeQuery({ query, variables, data });
  return data;
}
