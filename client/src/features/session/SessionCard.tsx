import type { FragmentType } from "@apollo/client";
import { useFragment, useMutation } from "@apollo/client/react";
import { MonitorSmartphone } from "lucide-react";
import { forget } from "../../apollo/forget";
import { toFailure } from "../../failure";
import { errorText } from "../../failureText";
import { graphql } from "../../gql";
import { Button } from "../../ui/Button";
import { shortTime } from "../../ui/clock";
import { Mark } from "../../ui/Mark";
import { Problem } from "../../ui/Problem";
import { useToday } from "../../ui/useToday";
import { words } from "../../words";
import { Card } from "../settings/Cards";
import { END_SESSION } from "./queries";
import styles from "./SessionCard.module.css";

export const SessionCard_session = graphql(`
  fragment SessionCard_session on Session { id device createdAt lastUsedAt isCurrent }
`);

interface Props {
  session: FragmentType<typeof SessionCard_session>;
  onEnded(): void;
}

export function SessionCard({ session: ref, onEnded }: Props) {
  const today = useToday();
  const { data: session, complete } = useFragment({ fragment: SessionCard_session, from: ref });
  const [end, { loading, error, client }] = useMutation(END_SESSION);
  if (!complete) return null;
  const device = session.device || words.sessions.unnamed;
  const lastUsed = shortTime(session.lastUsedAt, today);

  async function endIt(id: string) {
    const failure = await end({ variables: { sessionId: id } }).then(() => null, toFailure);
    // One that was not found has ended by itself.
    if (failure !== null && failure.code !== "NOT_FOUND") return;
    forget(client.cache, { __typename: "Session", id });
    onEnded();
  }

  return (
    <Card
      face={<MonitorSmartphone aria-hidden className={styles.icon} />}
      title={
        <>
          <bdi>{device}</bdi>
          {session.isCurrent && <Mark>{words.sessions.current}</Mark>}
        </>
      }
      detail={words.sessions.used(shortTime(session.createdAt, today), lastUsed)}
      action={
        !session.isCurrent && (
          <Button
            aria-label={words.sessions.endOne(device, lastUsed)}
            aria-disabled={loading}
            onClick={() => loading || void endIt(session.id)}
          >
            {words.sessions.end}
          </Button>
        )
      }
    >
      {error && <Problem>{errorText(error)}</Problem>}
    </Card>
  );
}
