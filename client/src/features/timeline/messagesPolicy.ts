import type { FieldPolicy, Reference } from "@apollo/client";
import { EMPTY, END, START, type Timeline, viewed, withArrival, withPage } from "./segments";

/** How the cache keeps an edge: its node is a record of its own. */
export interface StoredEdge {
  readonly __typename: "MessageEdge";
  readonly cursor: string;
  readonly node: Reference;
}

interface Connection {
  readonly edges: readonly StoredEdge[];
  readonly pageInfo?: { readonly hasPreviousPage: boolean; readonly hasNextPage: boolean };
}

/** Marks what is written to the cache as something that just happened, not as a page of history. */
export const ARRIVAL = { arrival: true };

/** `Room.messages`: pages and arrivals in any order, one list to read. */
export const messagesPolicy: FieldPolicy<Timeline<StoredEdge>, Connection, unknown> = {
  keyArgs: false,
  merge(timeline = EMPTY, { edges, pageInfo }, { args, extensions }) {
    if (extensions?.arrival) return edges.reduce(withArrival<StoredEdge>, timeline);
    return withPage(timeline, {
      edges,
      hasPreviousPage: pageInfo?.hasPreviousPage ?? true,
      hasNextPage: pageInfo?.hasNextPage ?? true,
      ...(typeof args?.before === "string" && { before: args.before }),
      ...(typeof args?.after === "string" && { after: args.after }),
    });
  },
  read(timeline = EMPTY) {
    const segment = viewed(timeline);
    return (
      segment && {
        __typename: "MessageConnection",
        edges: segment.edges,
        pageInfo: {
          __typename: "PageInfo",
          hasPreviousPage: segment.from !== START,
          hasNextPage: segment.to !== END,
        },
      }
    );
  },
};
