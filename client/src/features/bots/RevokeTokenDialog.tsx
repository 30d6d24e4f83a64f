import { useMutation } from "@apollo/client/react";
import { errorText } from "../../failureText";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { words } from "../../words";
import { REVOKE_BOT_TOKEN } from "./queries";

interface Props {
  botId: string;
  username: string;
  onClose(): void;
}

export function RevokeTokenDialog({ botId, username, onClose }: Props) {
  const [revoke, { loading, error }] = useMutation(REVOKE_BOT_TOKEN, { onCompleted: onClose });
  return (
    <ConfirmDialog
      title={words.bots.revokeTitle(username)}
      lead={words.bots.revokeLead}
      action={words.bots.revoke}
      isBusy={loading}
      problem={error && errorText(error)}
      onConfirm={() => void revoke({ variables: { botId } })}
      onClose={onClose}
    />
  );
}
