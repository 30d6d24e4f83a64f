import { graphql } from "../../gql";

/** The rooms that a page knows at first; read from the cache. */
export const ROOMS = graphql(`
  query Rooms {
    rooms {
      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room }
    }
  }
`);

export const MORE_ROOMS = graphql(`
  query MoreRooms($after: String!) {
    rooms(first: 100, after: $after) {
      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room @unmask }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const OPEN_PRIVATE_ROOM = graphql(`
  mutation OpenPrivateRoom($userId: ID!) {
    openPrivateRoom(input: { userId: $userId }) { room { ...NewRoom @unmask } }
  }
`);
