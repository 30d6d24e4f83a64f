import { ApolloLink } from "@apollo/client";

/**
 * Lets a subscription resume where it stopped: `after` is looked up each time that the
 * operation is sent, and graphql-ws sends it again whenever it has reconnected.
 */
export function resumeLink(cursor: () => string): ApolloLink {
  return new ApolloLink((operation, forward) => {
    Object.defineProperty(operation.variables, "after", { get: cursor, enumerable: true });
    return forward(operation);
  });
}
