// What GraphQL Code Generator reads.
import { graphql } from "./gql";

export const me = graphql(`
  query Me {
    me {
      ...Person
    }
  }
`);

export const person = graphql(`
  fragment Person on User {
    id
    username
  }
`);

export const live = graphql(`
  subscription Live($after: String) {
    events(after: $after) {
      __typename
      cursor
      ... on MessageAdded {
        edge {
          node {
            text
          }
        }
      }
    }
  }
`);
