import { graphql } from "../../gql";

export const SESSIONS = graphql(`
  query Sessions {
    sessions { id isCurrent ...SessionCard_session }
  }
`);

export const END_SESSION = graphql(`
  mutation EndSession($sessionId: ID!) {
    endSession(input: { sessionId: $sessionId }) { session { id } }
  }
`);

export const END_OTHER_SESSIONS = graphql(`
  mutation EndOtherSessions {
    endOtherSessions { sessions { id } }
  }
`);
