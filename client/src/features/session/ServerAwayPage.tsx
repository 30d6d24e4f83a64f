import type { Failure } from "../../failure";
import { failureText } from "../../failureText";
import { TroublePage } from "../../ui/TroublePage";
import { words } from "../../words";

interface Props {
  failure: Failure;
  onRetry(): void;
}

export function ServerAwayPage({ failure, onRetry }: Props) {
  return (
    <TroublePage
      title={words.serverAway.title}
      lead={words.serverAway.lead}
      detail={failureText(failure)}
      action={words.serverAway.retry}
      onAction={onRetry}
    />
  );
}
