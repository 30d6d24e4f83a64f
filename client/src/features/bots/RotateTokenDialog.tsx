import { useMutation } from "@apollo/client/react";
import { useState } from "react";
import { errorText } from "../../failureText";
import type { BotScope } from "../../gql/graphql";
import { words } from "../../words";
import { ROTATE_BOT_TOKEN } from "./queries";
import { allScopes, ScopesField } from "./ScopesField";
import { TokenDialog } from "./TokenDialog";

interface Props {
  botId: string;
  username: string;
  /** Of its token; none while it has none. */
  scopes: readonly BotScope[];
  onClose(): void;
}

export function RotateTokenDialog({ botId, username, scopes: former, onClose }: Props) {
  const hasToken = former.length > 0;
  const [scopes, setScopes] = useState(hasToken ? former : allScopes);
  const [isMissing, setIsMissing] = useState(false);
  const [rotate, { data, loading, error }] = useMutation(ROTATE_BOT_TOKEN);
  return (
    <TokenDialog
      title={words.bots.rotateTitle(username)}
      lead={hasToken ? words.bots.rotateLead : words.bots.rotateLeadTokenless}
      submit={words.bots.rotateSubmit}
      isBusy={loading}
      problem={error && errorText(error)}
      token={data?.rotateBotToken.token}
      onSubmit={() => {
        setIsMissing(scopes.length === 0);
        if (scopes.length > 0) void rotate({ variables: { botId, scopes: [...scopes] } });
      }}
      onClose={onClose}
    >
      <ScopesField
        value={scopes}
        error={isMissing && scopes.length === 0 ? words.bots.scopesMissing : undefined}
        onChange={setScopes}
      />
    </TokenDialog>
  );
}
