import { type FieldPolicy, InMemoryCache, type Reference } from "@apollo/client";
import { messagesPolicy } from "../features/timeline/messagesPolicy";

/** Everything that the cache does differently from Apollo's defaults. */
export function createCache(): InMemoryCache {
  return new InMemoryCache({
    possibleTypes: {
      Event: ["MessageAdded", "RoomAdded", "PresenceChanged", "CaughtUp"],
      Node: ["User", "Room", "Message"],
    },
    typePolicies: {
      Query: { fields: { rooms: growingList(false), users: growingList(["online"]) } },
      Room: { fields: { messages: messagesPolicy, lastMessage: newestMessage } },
      AuthPayload: { keyFields: false },
    },
  });
}

interface List {
  readonly nodes: readonly Reference[];
}

/** A connection whose pages, and single nodes that are added, are one list without repeats. */
function growingList(keyArgs: false | string[]): FieldPolicy<List> {
  return {
    keyArgs,
    merge(known, incoming) {
      const nodes = [...(known?.nodes ?? []), ...incoming.nodes];
      const byId = new Map(nodes.map((node) => [node.__ref, node]));
      return { ...known, ...incoming, nodes: [...byId.values()] };
    },
  };
}

/** An answer that was on its way while a newer message arrived does not bring back the older one. */
const newestMessage: FieldPolicy<Reference | null> = {
  merge(known, incoming, { readField }) {
    const sentAt = (message: Reference | null | undefined) =>
      (message && readField<string>("sentAt", message)) ?? "";
    return known && sentAt(known) > sentAt(incoming) ? known : incoming;
  },
};
