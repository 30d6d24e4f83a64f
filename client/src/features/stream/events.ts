import { graphql } from "../../gql";

/** All that there is to know of a message: whatever component reads it later, nothing is missing. */
export const NEW_MESSAGE = graphql(`
  fragment NewMessage on Message {
    id
    text
    clientMessageId
    sentAt
    room { id }
    sender { id username isBot online lastSeenAt }
  }
`);

export const NEW_EDGE = graphql(`
  fragment NewEdge on MessageEdge { cursor node { ...NewMessage @unmask } }
`);

export const NEW_ROOM = graphql(`
  fragment NewRoom on Room {
    id
    kind
    lastMessage { id sentAt sender { id } }
    ...RoomItem_room @unmask
  }
`);

export const PRESENCE = graphql(`
  fragment Presence on User { id username isBot online lastSeenAt }
`);

export const EVENTS = graphql(`
  subscription Events($after: String!) {
    events(after: $after) {
      cursor
      ... on MessageAdded { edge { ...NewEdge @unmask } }
      ... on RoomAdded { room { ...NewRoom @unmask } }
      ... on PresenceChanged { user { ...Presence @unmask } }
      ... on CaughtUp { replayed }
    }
  }
`);
