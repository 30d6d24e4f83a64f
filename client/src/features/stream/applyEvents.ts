import type { ApolloCache, Unmasked } from "@apollo/client";
import { graphql } from "../../gql";
import type {
  EventsSubscription,
  NewEdgeFragment,
  NewRoomFragment,
  PresenceFragment,
} from "../../gql/graphql";
import { ARRIVAL } from "../timeline/messagesPolicy";
import { NEW_MESSAGE, PRESENCE } from "./events";

export type StreamEvent = Unmasked<EventsSubscription>["events"];
export type NewEdge = Unmasked<NewEdgeFragment>;

const ARRIVAL_IN_ROOM = graphql(`
  query ArrivalInRoom($roomId: ID!) {
    room(id: $roomId) {
      id
      lastMessage { ...NewMessage @unmask }
      messages { edges { ...NewEdge @unmask } }
    }
  }
`);

const MESSAGE_ID = graphql(`
  fragment MessageId on Message { id }
`);

const ROOM_LIST = graphql(`
  query RoomList { rooms { nodes { ...NewRoom @unmask } } }
`);

/** Brings the cache up to date; components hear of all of it at once. */
export function applyEvents(cache: ApolloCache, events: readonly StreamEvent[]): void {
  cache.batch({
    update() {
      for (const event of events) applyEvent(cache, event);
    },
  });
}

function applyEvent(cache: ApolloCache, event: StreamEvent): void {
  if (event.__typename === "MessageAdded") addMessage(cache, event.edge);
  if (event.__typename === "RoomAdded") addRoom(cache, event.room);
  if (event.__typename === "PresenceChanged") setPresence(cache, event.user);
}

/** Whether the event is of a message that the cache has already: sent from here, or part of a page. */
export function isKnown(cache: ApolloCache, event: StreamEvent): boolean {
  if (event.__typename !== "MessageAdded") return false;
  const from = cache.identify(event.edge.node) ?? "";
  return cache.readFragment({ from, fragment: MESSAGE_ID }) !== null;
}

/** A message that has just come to be, by whatever way one hears of it. */
export function addMessage(cache: ApolloCache, edge: NewEdge): void {
  const { room } = edge.node;
  // Before the room, whose policies compare its newest messages and have to find both.
  cache.writeFragment({ from: edge.node, fragment: NEW_MESSAGE, data: edge.node });
  cache.writeQuery({
    query: ARRIVAL_IN_ROOM,
    variables: { roomId: room.id },
    data: {
      room: {
        ...room,
        lastMessage: edge.node,
        messages: { __typename: "MessageConnection", edges: [edge] },
      },
    },
    extensions: ARRIVAL,
  });
}

function addRoom(cache: ApolloCache, room: Unmasked<NewRoomFragment>): void {
  cache.writeQuery({
    query: ROOM_LIST,
    data: { rooms: { __typename: "RoomConnection", nodes: [room] } },
  });
}

function setPresence(cache: ApolloCache, user: Unmasked<PresenceFragment>): void {
  cache.writeFragment({ from: user, fragment: PRESENCE, data: user });
}
