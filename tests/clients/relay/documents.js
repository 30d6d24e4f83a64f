// What a Relay application would have in its components: the compiler reads it from here.
import { graphql } from "relay-runtime";

export const present = graphql`
  query documentsPresentQuery {
    eventCursor
    room(id: "room:0") {
      ...documentsMessages_room
    }
  }
`;

export const messages = graphql`
  fragment documentsMessages_room on Room
  @refetchable(queryName: "documentsMessagesPaginationQuery")
  @argumentDefinitions(last: { type: "Int", defaultValue: 20 }, before: { type: "String" }) {
    messages(last: $last, before: $before) @connection(key: "documents_messages") {
      edges {
        node {
          text
        }
      }
    }
  }
`;

export const send = graphql`
  mutation documentsSendMutation($input: SendMessageInput!, $connections: [ID!]!) {
    sendMessage(input: $input) {
      edge @appendEdge(connections: $connections) {
        cursor
        node {
          text
        }
      }
    }
  }
`;

export const events = graphql`
  subscription documentsEventsSubscription($after: String) {
    events(after: $after) {
      cursor
      ... on MessageAdded {
        edge {
          node {
            text
            sender {
              username
            }
          }
        }
      }
    }
  }
`;
