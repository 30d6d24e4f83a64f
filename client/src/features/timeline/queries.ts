import { graphql } from "../../gql";

export const TIMELINE_PAGE = graphql(`
  fragment TimelinePage on MessageConnection {
    edges { cursor node { id clientMessageId sentAt sender { id } ...MessageRow_message @unmask } }
    pageInfo { hasPreviousPage hasNextPage }
  }
`);

/** What a room shows when it is opened. */
export const ROOM_AT_FIRST = graphql(`
  fragment RoomAtFirst on Room {
    id
    kind
    ...RoomItem_room @unmask
    ...RoomMembers_room @unmask
    messages(last: 50) { ...TimelinePage @unmask }
  }
`);

export const OPEN_ROOM = graphql(`
  query OpenRoom($roomId: ID!) {
    room(id: $roomId) { ...RoomAtFirst @unmask }
  }
`);

export const ROOM_PAGE = graphql(`
  query RoomPage($roomId: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    room(id: $roomId) {
      id
      messages(first: $first, after: $after, last: $last, before: $before) { ...TimelinePage @unmask }
    }
  }
`);

/** What the cache has of a room's messages. */
export const TIMELINE = graphql(`
  fragment Timeline_room on Room {
    id
    kind
    messages {
      edges { cursor node { id clientMessageId sentAt sender { id } ...MessageRow_message } }
      pageInfo { hasPreviousPage hasNextPage }
    }
  }
`);
