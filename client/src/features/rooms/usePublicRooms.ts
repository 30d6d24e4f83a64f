import { useQuery } from "@apollo/client/react";
import { graphql } from "../../gql";

const ROOM_NAMES = graphql(`
  query RoomNames { rooms { nodes { id name kind } } }
`);

/** All that the page knows; they are in the cache. */
export function usePublicRooms(): { id: string; name: string }[] {
  const { data } = useQuery(ROOM_NAMES, { fetchPolicy: "cache-only" });
  return (data?.rooms.nodes ?? []).flatMap(({ id, name, kind }) =>
    kind === "PUBLIC" && name !== null ? [{ id, name }] : [],
  );
}
