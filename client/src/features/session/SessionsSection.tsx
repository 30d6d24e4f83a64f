import { useMutation, useQuery } from "@apollo/client/react";
import { useRef, useState } from "react";
import { forget } from "../../apollo/forget";
import { errorText } from "../../failureText";
import type { SessionsQuery } from "../../gql/graphql";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { words } from "../../words";
import { Cards } from "../settings/Cards";
import { SettingsSection } from "../settings/SettingsSection";
import { END_OTHER_SESSIONS, SESSIONS } from "./queries";
import { SessionCard } from "./SessionCard";

/** Where one is logged in, and an end to it. */
export function SessionsSection() {
  const query = useQuery(SESSIONS, { fetchPolicy: "cache-and-network" });
  const sessions = currentFirst(query.data?.sessions ?? []);
  const heading = useRef<HTMLHeadingElement>(null);
  const [isConfirming, setIsConfirming] = useState(false);
  return (
    <SettingsSection
      title={words.sessions.title}
      lead={words.sessions.lead}
      query={query}
      headingRef={heading}
      action={
        sessions.length > 1 && (
          <Button aria-haspopup="dialog" onClick={() => setIsConfirming(true)}>
            {words.sessions.endOthers}
          </Button>
        )
      }
    >
      <Cards>
        {sessions.map((session) => (
          <SessionCard
            key={session.id}
            session={session}
            onEnded={() => heading.current?.focus()}
          />
        ))}
      </Cards>
      {isConfirming && <EndOthersDialog onClose={() => setIsConfirming(false)} />}
    </SettingsSection>
  );
}

function EndOthersDialog({ onClose }: { onClose(): void }) {
  const [endOthers, { loading, error }] = useMutation(END_OTHER_SESSIONS, {
    update(cache, { data }) {
      for (const session of data?.endOtherSessions.sessions ?? []) forget(cache, session);
    },
    onCompleted: onClose,
  });
  return (
    <ConfirmDialog
      title={words.sessions.endOthersTitle}
      lead={words.sessions.endOthersLead}
      action={words.sessions.endOthers}
      isBusy={loading}
      problem={error && errorText(error)}
      onConfirm={() => void endOthers()}
      onClose={onClose}
    />
  );
}

function currentFirst(sessions: SessionsQuery["sessions"]): SessionsQuery["sessions"] {
  return [...sessions].sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent));
}
