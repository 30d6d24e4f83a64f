/* eslint-disable */
import * as types from './graphql';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  fragment BotCard_bot on Bot {\n    id\n    user { id username online }\n    scopes\n    tokenIssuedAt\n    lastUsedAt\n    ...BotRooms_bot\n  }\n": typeof types.BotCard_BotFragmentDoc,
    "\n  fragment BotRooms_bot on Bot {\n    id\n    rooms(first: 100) {\n      nodes { id name }\n      pageInfo { hasNextPage }\n    }\n  }\n": typeof types.BotRooms_BotFragmentDoc,
    "\n  query Bots {\n    bots { id ...BotCard_bot }\n  }\n": typeof types.BotsDocument,
    "\n  mutation CreateBot($username: String!, $scopes: [BotScope!]!) {\n    createBot(input: { username: $username, scopes: $scopes }) {\n      token\n      bot { id ...BotCard_bot }\n    }\n  }\n": typeof types.CreateBotDocument,
    "\n  mutation RotateBotToken($botId: ID!, $scopes: [BotScope!]!) {\n    rotateBotToken(input: { botId: $botId, scopes: $scopes }) {\n      token\n      bot { id ...BotCard_bot }\n    }\n  }\n": typeof types.RotateBotTokenDocument,
    "\n  mutation RevokeBotToken($botId: ID!) {\n    revokeBotToken(input: { botId: $botId }) { bot { id ...BotCard_bot } }\n  }\n": typeof types.RevokeBotTokenDocument,
    "\n  mutation DeleteBot($botId: ID!) {\n    deleteBot(input: { botId: $botId }) { bot { id } }\n  }\n": typeof types.DeleteBotDocument,
    "\n  mutation AddBotToRoom($botId: ID!, $roomId: ID!) {\n    addBotToRoom(input: { botId: $botId, roomId: $roomId }) {\n      bot { id ...BotRooms_bot }\n      room { id ...RoomMembers_room }\n    }\n  }\n": typeof types.AddBotToRoomDocument,
    "\n  mutation RemoveBotFromRoom($botId: ID!, $roomId: ID!) {\n    removeBotFromRoom(input: { botId: $botId, roomId: $roomId }) {\n      bot { id ...BotRooms_bot }\n      room { id ...RoomMembers_room }\n    }\n  }\n": typeof types.RemoveBotFromRoomDocument,
    "\n  mutation SendMessage($roomId: ID!, $text: String!, $clientMessageId: String!) {\n    sendMessage(input: { roomId: $roomId, text: $text, clientMessageId: $clientMessageId }) {\n      edge { ...NewEdge @unmask }\n    }\n  }\n": typeof types.SendMessageDocument,
    "\n  fragment Person_user on User {\n    id\n    username\n    isBot\n    online\n    lastSeenAt\n  }\n": typeof types.Person_UserFragmentDoc,
    "\n  query People($after: String) {\n    users(first: 100, after: $after) {\n      nodes { id username ...Person_user }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.PeopleDocument,
    "\n  query Presences($ids: [ID!]!) {\n    nodes(ids: $ids) { id ... on User { ...Presence @unmask } }\n  }\n": typeof types.PresencesDocument,
    "\n  fragment RoomItem_room on Room {\n    id\n    name\n    kind\n    members(first: 2) { nodes { id username isBot online lastSeenAt } }\n    lastMessage { id text sentAt sender { id username isBot } }\n  }\n": typeof types.RoomItem_RoomFragmentDoc,
    "\n  fragment RoomMembers_room on Room {\n    id\n    people: members(first: 100) {\n      nodes { id username online }\n      pageInfo { hasNextPage }\n    }\n  }\n": typeof types.RoomMembers_RoomFragmentDoc,
    "\n  query Rooms {\n    rooms {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room }\n    }\n  }\n": typeof types.RoomsDocument,
    "\n  query MoreRooms($after: String!) {\n    rooms(first: 100, after: $after) {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room @unmask }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.MoreRoomsDocument,
    "\n  mutation OpenPrivateRoom($userId: ID!) {\n    openPrivateRoom(input: { userId: $userId }) { room { ...NewRoom @unmask } }\n  }\n": typeof types.OpenPrivateRoomDocument,
    "\n  query RoomNames { rooms { nodes { id name kind } } }\n": typeof types.RoomNamesDocument,
    "\n  fragment RoomSummary_room on Room {\n    id\n    name\n    kind\n    members(first: 2) { nodes { id username isBot online lastSeenAt } }\n  }\n": typeof types.RoomSummary_RoomFragmentDoc,
    "\n  fragment SessionCard_session on Session { id device createdAt lastUsedAt isCurrent }\n": typeof types.SessionCard_SessionFragmentDoc,
    "\n  mutation LogIn($username: String!, $password: String!) {\n    login(input: { username: $username, password: $password }) { user { id } }\n  }\n": typeof types.LogInDocument,
    "\n  mutation Register($username: String!, $password: String!) {\n    register(input: { username: $username, password: $password }) { user { id } }\n  }\n": typeof types.RegisterDocument,
    "\n  mutation LogOut {\n    logout { user { id } }\n  }\n": typeof types.LogOutDocument,
    "\n  query Sessions {\n    sessions { id isCurrent ...SessionCard_session }\n  }\n": typeof types.SessionsDocument,
    "\n  mutation EndSession($sessionId: ID!) {\n    endSession(input: { sessionId: $sessionId }) { session { id } }\n  }\n": typeof types.EndSessionDocument,
    "\n  mutation EndOtherSessions {\n    endOtherSessions { sessions { id } }\n  }\n": typeof types.EndOtherSessionsDocument,
    "\n  query ArrivalInRoom($roomId: ID!) {\n    room(id: $roomId) {\n      id\n      lastMessage { ...NewMessage @unmask }\n      messages { edges { ...NewEdge @unmask } }\n    }\n  }\n": typeof types.ArrivalInRoomDocument,
    "\n  fragment MessageId on Message { id }\n": typeof types.MessageIdFragmentDoc,
    "\n  query RoomList { rooms { nodes { ...NewRoom @unmask } } }\n": typeof types.RoomListDocument,
    "\n  fragment NewMessage on Message {\n    id\n    text\n    clientMessageId\n    sentAt\n    room { id }\n    sender { id username isBot online lastSeenAt }\n  }\n": typeof types.NewMessageFragmentDoc,
    "\n  fragment NewEdge on MessageEdge { cursor node { ...NewMessage @unmask } }\n": typeof types.NewEdgeFragmentDoc,
    "\n  fragment NewRoom on Room {\n    id\n    kind\n    lastMessage { id sentAt sender { id } }\n    ...RoomItem_room @unmask\n  }\n": typeof types.NewRoomFragmentDoc,
    "\n  fragment Presence on User { id username isBot online lastSeenAt }\n": typeof types.PresenceFragmentDoc,
    "\n  subscription Events($after: String!) {\n    events(after: $after) {\n      cursor\n      ... on MessageAdded { edge { ...NewEdge @unmask } }\n      ... on RoomAdded { room { ...NewRoom @unmask } }\n      ... on PresenceChanged { user { ...Presence @unmask } }\n      ... on CaughtUp { replayed }\n    }\n  }\n": typeof types.EventsDocument,
    "\n  query Page($roomId: ID!, $hasRoom: Boolean!) {\n    eventCursor\n    me { id username online }\n    rooms(first: 100) {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room @unmask }\n      pageInfo { hasNextPage endCursor }\n    }\n    room(id: $roomId) @include(if: $hasRoom) { ...RoomAtFirst @unmask }\n    first: rooms(first: 1) @skip(if: $hasRoom) { nodes { ...RoomAtFirst @unmask } }\n  }\n": typeof types.PageDocument,
    "\n  fragment MessageRow_message on Message {\n    id\n    text\n    sentAt\n    sender { id username isBot online }\n  }\n": typeof types.MessageRow_MessageFragmentDoc,
    "\n  fragment TimelinePage on MessageConnection {\n    edges { cursor node { id clientMessageId sentAt sender { id } ...MessageRow_message @unmask } }\n    pageInfo { hasPreviousPage hasNextPage }\n  }\n": typeof types.TimelinePageFragmentDoc,
    "\n  fragment RoomAtFirst on Room {\n    id\n    kind\n    ...RoomItem_room @unmask\n    ...RoomMembers_room @unmask\n    messages(last: 50) { ...TimelinePage @unmask }\n  }\n": typeof types.RoomAtFirstFragmentDoc,
    "\n  query OpenRoom($roomId: ID!) {\n    room(id: $roomId) { ...RoomAtFirst @unmask }\n  }\n": typeof types.OpenRoomDocument,
    "\n  query RoomPage($roomId: ID!, $first: Int, $after: String, $last: Int, $before: String) {\n    room(id: $roomId) {\n      id\n      messages(first: $first, after: $after, last: $last, before: $before) { ...TimelinePage @unmask }\n    }\n  }\n": typeof types.RoomPageDocument,
    "\n  fragment Timeline_room on Room {\n    id\n    kind\n    messages {\n      edges { cursor node { id clientMessageId sentAt sender { id } ...MessageRow_message } }\n      pageInfo { hasPreviousPage hasNextPage }\n    }\n  }\n": typeof types.Timeline_RoomFragmentDoc,
};
const documents: Documents = {
    "\n  fragment BotCard_bot on Bot {\n    id\n    user { id username online }\n    scopes\n    tokenIssuedAt\n    lastUsedAt\n    ...BotRooms_bot\n  }\n": types.BotCard_BotFragmentDoc,
    "\n  fragment BotRooms_bot on Bot {\n    id\n    rooms(first: 100) {\n      nodes { id name }\n      pageInfo { hasNextPage }\n    }\n  }\n": types.BotRooms_BotFragmentDoc,
    "\n  query Bots {\n    bots { id ...BotCard_bot }\n  }\n": types.BotsDocument,
    "\n  mutation CreateBot($username: String!, $scopes: [BotScope!]!) {\n    createBot(input: { username: $username, scopes: $scopes }) {\n      token\n      bot { id ...BotCard_bot }\n    }\n  }\n": types.CreateBotDocument,
    "\n  mutation RotateBotToken($botId: ID!, $scopes: [BotScope!]!) {\n    rotateBotToken(input: { botId: $botId, scopes: $scopes }) {\n      token\n      bot { id ...BotCard_bot }\n    }\n  }\n": types.RotateBotTokenDocument,
    "\n  mutation RevokeBotToken($botId: ID!) {\n    revokeBotToken(input: { botId: $botId }) { bot { id ...BotCard_bot } }\n  }\n": types.RevokeBotTokenDocument,
    "\n  mutation DeleteBot($botId: ID!) {\n    deleteBot(input: { botId: $botId }) { bot { id } }\n  }\n": types.DeleteBotDocument,
    "\n  mutation AddBotToRoom($botId: ID!, $roomId: ID!) {\n    addBotToRoom(input: { botId: $botId, roomId: $roomId }) {\n      bot { id ...BotRooms_bot }\n      room { id ...RoomMembers_room }\n    }\n  }\n": types.AddBotToRoomDocument,
    "\n  mutation RemoveBotFromRoom($botId: ID!, $roomId: ID!) {\n    removeBotFromRoom(input: { botId: $botId, roomId: $roomId }) {\n      bot { id ...BotRooms_bot }\n      room { id ...RoomMembers_room }\n    }\n  }\n": types.RemoveBotFromRoomDocument,
    "\n  mutation SendMessage($roomId: ID!, $text: String!, $clientMessageId: String!) {\n    sendMessage(input: { roomId: $roomId, text: $text, clientMessageId: $clientMessageId }) {\n      edge { ...NewEdge @unmask }\n    }\n  }\n": types.SendMessageDocument,
    "\n  fragment Person_user on User {\n    id\n    username\n    isBot\n    online\n    lastSeenAt\n  }\n": types.Person_UserFragmentDoc,
    "\n  query People($after: String) {\n    users(first: 100, after: $after) {\n      nodes { id username ...Person_user }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.PeopleDocument,
    "\n  query Presences($ids: [ID!]!) {\n    nodes(ids: $ids) { id ... on User { ...Presence @unmask } }\n  }\n": types.PresencesDocument,
    "\n  fragment RoomItem_room on Room {\n    id\n    name\n    kind\n    members(first: 2) { nodes { id username isBot online lastSeenAt } }\n    lastMessage { id text sentAt sender { id username isBot } }\n  }\n": types.RoomItem_RoomFragmentDoc,
    "\n  fragment RoomMembers_room on Room {\n    id\n    people: members(first: 100) {\n      nodes { id username online }\n      pageInfo { hasNextPage }\n    }\n  }\n": types.RoomMembers_RoomFragmentDoc,
    "\n  query Rooms {\n    rooms {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room }\n    }\n  }\n": types.RoomsDocument,
    "\n  query MoreRooms($after: String!) {\n    rooms(first: 100, after: $after) {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room @unmask }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.MoreRoomsDocument,
    "\n  mutation OpenPrivateRoom($userId: ID!) {\n    openPrivateRoom(input: { userId: $userId }) { room { ...NewRoom @unmask } }\n  }\n": types.OpenPrivateRoomDocument,
    "\n  query RoomNames { rooms { nodes { id name kind } } }\n": types.RoomNamesDocument,
    "\n  fragment RoomSummary_room on Room {\n    id\n    name\n    kind\n    members(first: 2) { nodes { id username isBot online lastSeenAt } }\n  }\n": types.RoomSummary_RoomFragmentDoc,
    "\n  fragment SessionCard_session on Session { id device createdAt lastUsedAt isCurrent }\n": types.SessionCard_SessionFragmentDoc,
    "\n  mutation LogIn($username: String!, $password: String!) {\n    login(input: { username: $username, password: $password }) { user { id } }\n  }\n": types.LogInDocument,
    "\n  mutation Register($username: String!, $password: String!) {\n    register(input: { username: $username, password: $password }) { user { id } }\n  }\n": types.RegisterDocument,
    "\n  mutation LogOut {\n    logout { user { id } }\n  }\n": types.LogOutDocument,
    "\n  query Sessions {\n    sessions { id isCurrent ...SessionCard_session }\n  }\n": types.SessionsDocument,
    "\n  mutation EndSession($sessionId: ID!) {\n    endSession(input: { sessionId: $sessionId }) { session { id } }\n  }\n": types.EndSessionDocument,
    "\n  mutation EndOtherSessions {\n    endOtherSessions { sessions { id } }\n  }\n": types.EndOtherSessionsDocument,
    "\n  query ArrivalInRoom($roomId: ID!) {\n    room(id: $roomId) {\n      id\n      lastMessage { ...NewMessage @unmask }\n      messages { edges { ...NewEdge @unmask } }\n    }\n  }\n": types.ArrivalInRoomDocument,
    "\n  fragment MessageId on Message { id }\n": types.MessageIdFragmentDoc,
    "\n  query RoomList { rooms { nodes { ...NewRoom @unmask } } }\n": types.RoomListDocument,
    "\n  fragment NewMessage on Message {\n    id\n    text\n    clientMessageId\n    sentAt\n    room { id }\n    sender { id username isBot online lastSeenAt }\n  }\n": types.NewMessageFragmentDoc,
    "\n  fragment NewEdge on MessageEdge { cursor node { ...NewMessage @unmask } }\n": types.NewEdgeFragmentDoc,
    "\n  fragment NewRoom on Room {\n    id\n    kind\n    lastMessage { id sentAt sender { id } }\n    ...RoomItem_room @unmask\n  }\n": types.NewRoomFragmentDoc,
    "\n  fragment Presence on User { id username isBot online lastSeenAt }\n": types.PresenceFragmentDoc,
    "\n  subscription Events($after: String!) {\n    events(after: $after) {\n      cursor\n      ... on MessageAdded { edge { ...NewEdge @unmask } }\n      ... on RoomAdded { room { ...NewRoom @unmask } }\n      ... on PresenceChanged { user { ...Presence @unmask } }\n      ... on CaughtUp { replayed }\n    }\n  }\n": types.EventsDocument,
    "\n  query Page($roomId: ID!, $hasRoom: Boolean!) {\n    eventCursor\n    me { id username online }\n    rooms(first: 100) {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room @unmask }\n      pageInfo { hasNextPage endCursor }\n    }\n    room(id: $roomId) @include(if: $hasRoom) { ...RoomAtFirst @unmask }\n    first: rooms(first: 1) @skip(if: $hasRoom) { nodes { ...RoomAtFirst @unmask } }\n  }\n": types.PageDocument,
    "\n  fragment MessageRow_message on Message {\n    id\n    text\n    sentAt\n    sender { id username isBot online }\n  }\n": types.MessageRow_MessageFragmentDoc,
    "\n  fragment TimelinePage on MessageConnection {\n    edges { cursor node { id clientMessageId sentAt sender { id } ...MessageRow_message @unmask } }\n    pageInfo { hasPreviousPage hasNextPage }\n  }\n": types.TimelinePageFragmentDoc,
    "\n  fragment RoomAtFirst on Room {\n    id\n    kind\n    ...RoomItem_room @unmask\n    ...RoomMembers_room @unmask\n    messages(last: 50) { ...TimelinePage @unmask }\n  }\n": types.RoomAtFirstFragmentDoc,
    "\n  query OpenRoom($roomId: ID!) {\n    room(id: $roomId) { ...RoomAtFirst @unmask }\n  }\n": types.OpenRoomDocument,
    "\n  query RoomPage($roomId: ID!, $first: Int, $after: String, $last: Int, $before: String) {\n    room(id: $roomId) {\n      id\n      messages(first: $first, after: $after, last: $last, before: $before) { ...TimelinePage @unmask }\n    }\n  }\n": types.RoomPageDocument,
    "\n  fragment Timeline_room on Room {\n    id\n    kind\n    messages {\n      edges { cursor node { id clientMessageId sentAt sender { id } ...MessageRow_message } }\n      pageInfo { hasPreviousPage hasNextPage }\n    }\n  }\n": types.Timeline_RoomFragmentDoc,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment BotCard_bot on Bot {\n    id\n    user { id username online }\n    scopes\n    tokenIssuedAt\n    lastUsedAt\n    ...BotRooms_bot\n  }\n"): (typeof documents)["\n  fragment BotCard_bot on Bot {\n    id\n    user { id username online }\n    scopes\n    tokenIssuedAt\n    lastUsedAt\n    ...BotRooms_bot\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment BotRooms_bot on Bot {\n    id\n    rooms(first: 100) {\n      nodes { id name }\n      pageInfo { hasNextPage }\n    }\n  }\n"): (typeof documents)["\n  fragment BotRooms_bot on Bot {\n    id\n    rooms(first: 100) {\n      nodes { id name }\n      pageInfo { hasNextPage }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Bots {\n    bots { id ...BotCard_bot }\n  }\n"): (typeof documents)["\n  query Bots {\n    bots { id ...BotCard_bot }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateBot($username: String!, $scopes: [BotScope!]!) {\n    createBot(input: { username: $username, scopes: $scopes }) {\n      token\n      bot { id ...BotCard_bot }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateBot($username: String!, $scopes: [BotScope!]!) {\n    createBot(input: { username: $username, scopes: $scopes }) {\n      token\n      bot { id ...BotCard_bot }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RotateBotToken($botId: ID!, $scopes: [BotScope!]!) {\n    rotateBotToken(input: { botId: $botId, scopes: $scopes }) {\n      token\n      bot { id ...BotCard_bot }\n    }\n  }\n"): (typeof documents)["\n  mutation RotateBotToken($botId: ID!, $scopes: [BotScope!]!) {\n    rotateBotToken(input: { botId: $botId, scopes: $scopes }) {\n      token\n      bot { id ...BotCard_bot }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RevokeBotToken($botId: ID!) {\n    revokeBotToken(input: { botId: $botId }) { bot { id ...BotCard_bot } }\n  }\n"): (typeof documents)["\n  mutation RevokeBotToken($botId: ID!) {\n    revokeBotToken(input: { botId: $botId }) { bot { id ...BotCard_bot } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteBot($botId: ID!) {\n    deleteBot(input: { botId: $botId }) { bot { id } }\n  }\n"): (typeof documents)["\n  mutation DeleteBot($botId: ID!) {\n    deleteBot(input: { botId: $botId }) { bot { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation AddBotToRoom($botId: ID!, $roomId: ID!) {\n    addBotToRoom(input: { botId: $botId, roomId: $roomId }) {\n      bot { id ...BotRooms_bot }\n      room { id ...RoomMembers_room }\n    }\n  }\n"): (typeof documents)["\n  mutation AddBotToRoom($botId: ID!, $roomId: ID!) {\n    addBotToRoom(input: { botId: $botId, roomId: $roomId }) {\n      bot { id ...BotRooms_bot }\n      room { id ...RoomMembers_room }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RemoveBotFromRoom($botId: ID!, $roomId: ID!) {\n    removeBotFromRoom(input: { botId: $botId, roomId: $roomId }) {\n      bot { id ...BotRooms_bot }\n      room { id ...RoomMembers_room }\n    }\n  }\n"): (typeof documents)["\n  mutation RemoveBotFromRoom($botId: ID!, $roomId: ID!) {\n    removeBotFromRoom(input: { botId: $botId, roomId: $roomId }) {\n      bot { id ...BotRooms_bot }\n      room { id ...RoomMembers_room }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SendMessage($roomId: ID!, $text: String!, $clientMessageId: String!) {\n    sendMessage(input: { roomId: $roomId, text: $text, clientMessageId: $clientMessageId }) {\n      edge { ...NewEdge @unmask }\n    }\n  }\n"): (typeof documents)["\n  mutation SendMessage($roomId: ID!, $text: String!, $clientMessageId: String!) {\n    sendMessage(input: { roomId: $roomId, text: $text, clientMessageId: $clientMessageId }) {\n      edge { ...NewEdge @unmask }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment Person_user on User {\n    id\n    username\n    isBot\n    online\n    lastSeenAt\n  }\n"): (typeof documents)["\n  fragment Person_user on User {\n    id\n    username\n    isBot\n    online\n    lastSeenAt\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query People($after: String) {\n    users(first: 100, after: $after) {\n      nodes { id username ...Person_user }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): (typeof documents)["\n  query People($after: String) {\n    users(first: 100, after: $after) {\n      nodes { id username ...Person_user }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Presences($ids: [ID!]!) {\n    nodes(ids: $ids) { id ... on User { ...Presence @unmask } }\n  }\n"): (typeof documents)["\n  query Presences($ids: [ID!]!) {\n    nodes(ids: $ids) { id ... on User { ...Presence @unmask } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment RoomItem_room on Room {\n    id\n    name\n    kind\n    members(first: 2) { nodes { id username isBot online lastSeenAt } }\n    lastMessage { id text sentAt sender { id username isBot } }\n  }\n"): (typeof documents)["\n  fragment RoomItem_room on Room {\n    id\n    name\n    kind\n    members(first: 2) { nodes { id username isBot online lastSeenAt } }\n    lastMessage { id text sentAt sender { id username isBot } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment RoomMembers_room on Room {\n    id\n    people: members(first: 100) {\n      nodes { id username online }\n      pageInfo { hasNextPage }\n    }\n  }\n"): (typeof documents)["\n  fragment RoomMembers_room on Room {\n    id\n    people: members(first: 100) {\n      nodes { id username online }\n      pageInfo { hasNextPage }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Rooms {\n    rooms {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room }\n    }\n  }\n"): (typeof documents)["\n  query Rooms {\n    rooms {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query MoreRooms($after: String!) {\n    rooms(first: 100, after: $after) {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room @unmask }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): (typeof documents)["\n  query MoreRooms($after: String!) {\n    rooms(first: 100, after: $after) {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room @unmask }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation OpenPrivateRoom($userId: ID!) {\n    openPrivateRoom(input: { userId: $userId }) { room { ...NewRoom @unmask } }\n  }\n"): (typeof documents)["\n  mutation OpenPrivateRoom($userId: ID!) {\n    openPrivateRoom(input: { userId: $userId }) { room { ...NewRoom @unmask } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query RoomNames { rooms { nodes { id name kind } } }\n"): (typeof documents)["\n  query RoomNames { rooms { nodes { id name kind } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment RoomSummary_room on Room {\n    id\n    name\n    kind\n    members(first: 2) { nodes { id username isBot online lastSeenAt } }\n  }\n"): (typeof documents)["\n  fragment RoomSummary_room on Room {\n    id\n    name\n    kind\n    members(first: 2) { nodes { id username isBot online lastSeenAt } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment SessionCard_session on Session { id device createdAt lastUsedAt isCurrent }\n"): (typeof documents)["\n  fragment SessionCard_session on Session { id device createdAt lastUsedAt isCurrent }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation LogIn($username: String!, $password: String!) {\n    login(input: { username: $username, password: $password }) { user { id } }\n  }\n"): (typeof documents)["\n  mutation LogIn($username: String!, $password: String!) {\n    login(input: { username: $username, password: $password }) { user { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Register($username: String!, $password: String!) {\n    register(input: { username: $username, password: $password }) { user { id } }\n  }\n"): (typeof documents)["\n  mutation Register($username: String!, $password: String!) {\n    register(input: { username: $username, password: $password }) { user { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation LogOut {\n    logout { user { id } }\n  }\n"): (typeof documents)["\n  mutation LogOut {\n    logout { user { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Sessions {\n    sessions { id isCurrent ...SessionCard_session }\n  }\n"): (typeof documents)["\n  query Sessions {\n    sessions { id isCurrent ...SessionCard_session }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EndSession($sessionId: ID!) {\n    endSession(input: { sessionId: $sessionId }) { session { id } }\n  }\n"): (typeof documents)["\n  mutation EndSession($sessionId: ID!) {\n    endSession(input: { sessionId: $sessionId }) { session { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EndOtherSessions {\n    endOtherSessions { sessions { id } }\n  }\n"): (typeof documents)["\n  mutation EndOtherSessions {\n    endOtherSessions { sessions { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ArrivalInRoom($roomId: ID!) {\n    room(id: $roomId) {\n      id\n      lastMessage { ...NewMessage @unmask }\n      messages { edges { ...NewEdge @unmask } }\n    }\n  }\n"): (typeof documents)["\n  query ArrivalInRoom($roomId: ID!) {\n    room(id: $roomId) {\n      id\n      lastMessage { ...NewMessage @unmask }\n      messages { edges { ...NewEdge @unmask } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment MessageId on Message { id }\n"): (typeof documents)["\n  fragment MessageId on Message { id }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query RoomList { rooms { nodes { ...NewRoom @unmask } } }\n"): (typeof documents)["\n  query RoomList { rooms { nodes { ...NewRoom @unmask } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment NewMessage on Message {\n    id\n    text\n    clientMessageId\n    sentAt\n    room { id }\n    sender { id username isBot online lastSeenAt }\n  }\n"): (typeof documents)["\n  fragment NewMessage on Message {\n    id\n    text\n    clientMessageId\n    sentAt\n    room { id }\n    sender { id username isBot online lastSeenAt }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment NewEdge on MessageEdge { cursor node { ...NewMessage @unmask } }\n"): (typeof documents)["\n  fragment NewEdge on MessageEdge { cursor node { ...NewMessage @unmask } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment NewRoom on Room {\n    id\n    kind\n    lastMessage { id sentAt sender { id } }\n    ...RoomItem_room @unmask\n  }\n"): (typeof documents)["\n  fragment NewRoom on Room {\n    id\n    kind\n    lastMessage { id sentAt sender { id } }\n    ...RoomItem_room @unmask\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment Presence on User { id username isBot online lastSeenAt }\n"): (typeof documents)["\n  fragment Presence on User { id username isBot online lastSeenAt }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription Events($after: String!) {\n    events(after: $after) {\n      cursor\n      ... on MessageAdded { edge { ...NewEdge @unmask } }\n      ... on RoomAdded { room { ...NewRoom @unmask } }\n      ... on PresenceChanged { user { ...Presence @unmask } }\n      ... on CaughtUp { replayed }\n    }\n  }\n"): (typeof documents)["\n  subscription Events($after: String!) {\n    events(after: $after) {\n      cursor\n      ... on MessageAdded { edge { ...NewEdge @unmask } }\n      ... on RoomAdded { room { ...NewRoom @unmask } }\n      ... on PresenceChanged { user { ...Presence @unmask } }\n      ... on CaughtUp { replayed }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Page($roomId: ID!, $hasRoom: Boolean!) {\n    eventCursor\n    me { id username online }\n    rooms(first: 100) {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room @unmask }\n      pageInfo { hasNextPage endCursor }\n    }\n    room(id: $roomId) @include(if: $hasRoom) { ...RoomAtFirst @unmask }\n    first: rooms(first: 1) @skip(if: $hasRoom) { nodes { ...RoomAtFirst @unmask } }\n  }\n"): (typeof documents)["\n  query Page($roomId: ID!, $hasRoom: Boolean!) {\n    eventCursor\n    me { id username online }\n    rooms(first: 100) {\n      nodes { id kind lastMessage { id sentAt sender { id } } ...RoomItem_room @unmask }\n      pageInfo { hasNextPage endCursor }\n    }\n    room(id: $roomId) @include(if: $hasRoom) { ...RoomAtFirst @unmask }\n    first: rooms(first: 1) @skip(if: $hasRoom) { nodes { ...RoomAtFirst @unmask } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment MessageRow_message on Message {\n    id\n    text\n    sentAt\n    sender { id username isBot online }\n  }\n"): (typeof documents)["\n  fragment MessageRow_message on Message {\n    id\n    text\n    sentAt\n    sender { id username isBot online }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment TimelinePage on MessageConnection {\n    edges { cursor node { id clientMessageId sentAt sender { id } ...MessageRow_message @unmask } }\n    pageInfo { hasPreviousPage hasNextPage }\n  }\n"): (typeof documents)["\n  fragment TimelinePage on MessageConnection {\n    edges { cursor node { id clientMessageId sentAt sender { id } ...MessageRow_message @unmask } }\n    pageInfo { hasPreviousPage hasNextPage }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment RoomAtFirst on Room {\n    id\n    kind\n    ...RoomItem_room @unmask\n    ...RoomMembers_room @unmask\n    messages(last: 50) { ...TimelinePage @unmask }\n  }\n"): (typeof documents)["\n  fragment RoomAtFirst on Room {\n    id\n    kind\n    ...RoomItem_room @unmask\n    ...RoomMembers_room @unmask\n    messages(last: 50) { ...TimelinePage @unmask }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query OpenRoom($roomId: ID!) {\n    room(id: $roomId) { ...RoomAtFirst @unmask }\n  }\n"): (typeof documents)["\n  query OpenRoom($roomId: ID!) {\n    room(id: $roomId) { ...RoomAtFirst @unmask }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query RoomPage($roomId: ID!, $first: Int, $after: String, $last: Int, $before: String) {\n    room(id: $roomId) {\n      id\n      messages(first: $first, after: $after, last: $last, before: $before) { ...TimelinePage @unmask }\n    }\n  }\n"): (typeof documents)["\n  query RoomPage($roomId: ID!, $first: Int, $after: String, $last: Int, $before: String) {\n    room(id: $roomId) {\n      id\n      messages(first: $first, after: $after, last: $last, before: $before) { ...TimelinePage @unmask }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment Timeline_room on Room {\n    id\n    kind\n    messages {\n      edges { cursor node { id clientMessageId sentAt sender { id } ...MessageRow_message } }\n      pageInfo { hasPreviousPage hasNextPage }\n    }\n  }\n"): (typeof documents)["\n  fragment Timeline_room on Room {\n    id\n    kind\n    messages {\n      edges { cursor node { id clientMessageId sentAt sender { id } ...MessageRow_message } }\n      pageInfo { hasPreviousPage hasNextPage }\n    }\n  }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;