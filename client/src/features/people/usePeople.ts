import type { FragmentType } from "@apollo/client";
import { useQuery } from "@apollo/client/react";
import { useEffect } from "react";
import { type Failure, toFailure } from "../../failure";
import type { PeopleQuery, Person_UserFragment } from "../../gql/graphql";
import { useAccount } from "../stream/ChatContext";
import { PEOPLE } from "./queries";

export type ListedPerson = FragmentType<Person_UserFragment> & { id: string };

export interface People {
  people: readonly ListedPerson[];
  hasMore: boolean;
  loadMore(): Promise<void>;
  status: "loading" | "ready" | "failed";
  failure?: Failure;
}

/** So many that match are enough to choose from. */
const ENOUGH = 20;

/** Everybody else. With a query, those with it in their names; pages are read until there are enough of them. */
export function usePeople(query = ""): People {
  const { viewer } = useAccount();
  const { data, loading, error, fetchMore } = useQuery(PEOPLE, {
    fetchPolicy: "cache-and-network",
  });
  const people = matching(data?.users.nodes ?? [], query, viewer.id);
  const { hasNextPage = false, endCursor = null } = data?.users.pageInfo ?? {};

  async function loadMore() {
    await fetchMore({ variables: { after: endCursor } });
  }

  const wantsMore = query !== "" && hasNextPage && people.length < ENOUGH;
  useEffect(() => {
    // A page that fails is reported by `error`; `loadMore` tries again.
    if (wantsMore) fetchMore({ variables: { after: endCursor } }).catch(() => undefined);
  }, [wantsMore, fetchMore, endCursor]);

  return {
    people,
    hasMore: hasNextPage,
    loadMore,
    status: data ? "ready" : loading ? "loading" : "failed",
    ...(error && { failure: toFailure(error) }),
  };
}

function matching(
  users: PeopleQuery["users"]["nodes"],
  query: string,
  viewerId: string,
): ListedPerson[] {
  const part = query.toLocaleLowerCase();
  return users.filter(
    ({ id, username }) => id !== viewerId && username.toLocaleLowerCase().includes(part),
  );
}
