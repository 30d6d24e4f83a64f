import { graphql } from "../../gql";

export const PEOPLE = graphql(`
  query People($after: String) {
    users(first: 100, after: $after) {
      nodes { id username ...Person_user }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
