import { SendHorizontal } from "lucide-react";
import { type KeyboardEvent, type Ref, useId } from "react";
import { words } from "../../words";
import styles from "./Composer.module.css";
import { useDraft } from "./useDraft";

const longestMessage = 4_000;
const countdownFrom = 200;

interface Props {
  roomId: string;
  roomName: string;
  inputRef: Ref<HTMLTextAreaElement>;
  /** Resolves when the message can be lost no more. */
  onSend(text: string): Promise<void>;
}

export function Composer({ roomId, roomName, inputRef, onSend }: Props) {
  const draft = useDraft(roomId);
  const hintId = useId();
  const text = draft.text.trim();
  // As the server counts: characters, not UTF-16 units.
  const left = longestMessage - [...text].length;
  const canSend = text !== "" && left >= 0;

  function send() {
    if (!canSend) return;
    draft.clear(onSend(text));
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event) || isTouchKeyboard()) return;
    event.preventDefault();
    send();
  }

  return (
    <form
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className={styles.box}>
        {/* The copy of the text behind the input gives it its height. */}
        <div className={styles.input} data-text={draft.text}>
          <textarea
            ref={inputRef}
            rows={1}
            dir="auto"
            aria-label={words.composer.label(roomName)}
            aria-describedby={hintId}
            aria-invalid={left < 0}
            enterKeyHint={isTouchKeyboard() ? "enter" : "send"}
            placeholder={words.composer.placeholder(roomName)}
            value={draft.text}
            onChange={(event) => draft.setText(event.target.value)}
            onKeyDown={onKeyDown}
          />
        </div>
        <button
          type="submit"
          className={styles.send}
          aria-label={words.composer.send}
          title={words.composer.send}
          aria-disabled={!canSend}
          // Keeps the focus, and with it the keyboard of a phone, in the input.
          onPointerDown={(event) => event.preventDefault()}
        >
          <SendHorizontal aria-hidden size={20} />
        </button>
      </div>
      <p id={hintId} className={styles.hint} data-over={left < 0}>
        {left < 0
          ? words.composer.over(-left)
          : left <= countdownFrom
            ? words.composer.left(left)
            : ""}
      </p>
    </form>
  );
}

/** Whether Enter belongs to an input method. Safari ends the composition before the key event, and marks it with 229 only. */
function isComposing(event: KeyboardEvent): boolean {
  return event.nativeEvent.isComposing || event.keyCode === 229;
}

/** On-screen keyboards have no Shift+Enter, so there Enter makes a new line. */
function isTouchKeyboard(): boolean {
  return window.matchMedia("(hover: none) and (pointer: coarse)").matches;
}
