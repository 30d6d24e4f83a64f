import { graphql } from "../../gql";

export const BOTS = graphql(`
  query Bots {
    bots { id ...BotCard_bot }
  }
`);

export const CREATE_BOT = graphql(`
  mutation CreateBot($username: String!, $scopes: [BotScope!]!) {
    createBot(input: { username: $username, scopes: $scopes }) {
      token
      bot { id ...BotCard_bot }
    }
  }
`);

export const ROTATE_BOT_TOKEN = graphql(`
  mutation RotateBotToken($botId: ID!, $scopes: [BotScope!]!) {
    rotateBotToken(input: { botId: $botId, scopes: $scopes }) {
      token
      bot { id ...BotCard_bot }
    }
  }
`);

export const REVOKE_BOT_TOKEN = graphql(`
  mutation RevokeBotToken($botId: ID!) {
    revokeBotToken(input: { botId: $botId }) { bot { id ...BotCard_bot } }
  }
`);

export const DELETE_BOT = graphql(`
  mutation DeleteBot($botId: ID!) {
    deleteBot(input: { botId: $botId }) { bot { id } }
  }
`);

export const ADD_BOT_TO_ROOM = graphql(`
  mutation AddBotToRoom($botId: ID!, $roomId: ID!) {
    addBotToRoom(input: { botId: $botId, roomId: $roomId }) {
      bot { id ...BotRooms_bot }
      room { id ...RoomMembers_room }
    }
  }
`);

export const REMOVE_BOT_FROM_ROOM = graphql(`
  mutation RemoveBotFromRoom($botId: ID!, $roomId: ID!) {
    removeBotFromRoom(input: { botId: $botId, roomId: $roomId }) {
      bot { id ...BotRooms_bot }
      room { id ...RoomMembers_room }
    }
  }
`);
