import { ArrowDown } from "lucide-react";
import { words } from "../../words";
import styles from "./JumpButton.module.css";

interface Props {
  unseen: number;
  onJump(): void;
}

export function JumpButton({ unseen, onJump }: Props) {
  return (
    <button
      type="button"
      className={styles.button}
      data-unseen={unseen > 0}
      aria-label={unseen > 0 ? undefined : words.timeline.toPresent}
      title={words.timeline.toPresent}
      onClick={onJump}
    >
      <ArrowDown aria-hidden size={18} />
      {unseen > 0 && words.timeline.newMessages(unseen)}
    </button>
  );
}
