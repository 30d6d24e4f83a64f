import { useMutation } from "@apollo/client/react";
import { forget } from "../../apollo/forget";
import { errorText } from "../../failureText";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { words } from "../../words";
import { DELETE_BOT } from "./queries";

interface Props {
  botId: string;
  username: string;
  onClose(): void;
  onDeleted(): void;
}

export function DeleteBotDialog({ botId, username, onClose, onDeleted }: Props) {
  const [deleteBot, { loading, error }] = useMutation(DELETE_BOT, {
    // Takes the card away, and this dialog with it.
    update(cache, { data }) {
      if (data) forget(cache, data.deleteBot.bot);
    },
    onCompleted: onDeleted,
  });
  return (
    <ConfirmDialog
      title={words.bots.deleteTitle(username)}
      lead={words.bots.deleteLead}
      action={words.bots.delete}
      isBusy={loading}
      problem={error && errorText(error)}
      onConfirm={() => void deleteBot({ variables: { botId } })}
      onClose={onClose}
    />
  );
}
