import { graphql } from "../../gql";

/**
 * Everything that a page shows at first, in one request. The cursor is read before the rest. An address that names
 * no room shows the first.
 */
export const PAGE = graphql(`
  query Page($roomId: ID!, $hasRoom: Boolean!) {
    eventCursor
    me { id username online }
    rooms(first: 100) {
      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room @unmask }
      pageInfo { hasNextPage endCursor }
    }
    room(id: $roomId) @include(if: $hasRoom) { ...RoomAtFirst @unmask }
    first: rooms(first: 1) @skip(if: $hasRoom) { nodes { ...RoomAtFirst @unmask } }
  }
`);
