import type { ApolloClient } from "@apollo/client";
import { fetchIntoCache } from "../../apollo/fetchIntoCache";
import type { PageQuery } from "../../gql/graphql";
import { MORE_ROOMS } from "./queries";

type PageInfo = PageQuery["rooms"]["pageInfo"];

/** Reads the list of rooms to its end; what comes goes to the cache. */
export async function loadMoreRooms(
  client: ApolloClient,
  pageInfo: PageInfo,
  insist: <Answer>(ask: () => Promise<Answer>) => Promise<Answer | null>,
): Promise<void> {
  let { hasNextPage, endCursor } = pageInfo;
  while (hasNextPage && endCursor) {
    const after = endCursor;
    const answer = await insist(() => fetchIntoCache(client, MORE_ROOMS, { after }));
    if (!answer) return;
    ({ hasNextPage, endCursor } = answer.rooms.pageInfo);
  }
}
