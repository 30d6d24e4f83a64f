import { graphql } from "../../gql";

export const SEND_MESSAGE = graphql(`
  mutation SendMessage($roomId: ID!, $text: String!, $clientMessageId: String!) {
    sendMessage(input: { roomId: $roomId, text: $text, clientMessageId: $clientMessageId }) {
      edge { ...NewEdge @unmask }
    }
  }
`);
