import { type FormEvent, type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { DialogActions } from "../../ui/DialogActions";
import { Field } from "../../ui/Field";
import { Problem } from "../../ui/Problem";
import { words } from "../../words";
import styles from "./TokenDialog.module.css";

interface Props {
  title: string;
  lead: string;
  /** What is asked for before there is a token. */
  children: ReactNode;
  initialFocus?: RefObject<HTMLElement | null>;
  submit: string;
  isBusy: boolean;
  problem: string | undefined;
  /** Undefined until the server has made one. */
  token: string | undefined;
  onSubmit(): void;
  onClose(): void;
}

/** Asks for what a token is for, and then shows it, this once. */
export function TokenDialog({ token, title, lead, initialFocus, onClose, ...form }: Props) {
  const isThere = token !== undefined;
  return (
    <Dialog
      title={isThere ? words.bots.tokenTitle : title}
      lead={isThere ? words.bots.tokenLead : lead}
      {...(initialFocus && { initialFocus })}
      isPrecious={isThere}
      onClose={onClose}
    >
      {isThere ? (
        <NewToken token={token} onClose={onClose} />
      ) : (
        <TokenForm {...form} onClose={onClose} />
      )}
    </Dialog>
  );
}

type FormProps = Omit<Props, "title" | "lead" | "initialFocus" | "token">;

function TokenForm({ submit, isBusy, problem, onSubmit, onClose, children }: FormProps) {
  function submitOnce(event: FormEvent) {
    event.preventDefault();
    if (!isBusy) onSubmit();
  }
  return (
    <form className={styles.form} noValidate onSubmit={submitOnce}>
      {children}
      {problem !== undefined && <Problem>{problem}</Problem>}
      <DialogActions>
        <Button onClick={onClose}>{words.cancel}</Button>
        <Button type="submit" look="primary" aria-disabled={isBusy}>
          {submit}
        </Button>
      </DialogActions>
    </form>
  );
}

function NewToken({ token, onClose }: { token: string; onClose(): void }) {
  const input = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState<"yes" | "no" | "notYet">("notYet");

  // The button that had the focus is gone.
  useEffect(() => input.current?.focus(), []);

  async function copy() {
    input.current?.focus();
    try {
      await navigator.clipboard.writeText(token);
      setCopied("yes");
    } catch {
      setCopied("no"); // Without TLS, or forbidden: it is selected, so that its reader can.
    }
  }

  return (
    <div className={styles.form}>
      <Field
        ref={input}
        readOnly
        className={styles.token}
        label={words.bots.tokenLabel}
        autoComplete="off"
        spellCheck={false}
        value={token}
        onFocus={({ target }) => target.select()}
      />
      <p role="status" className={styles.copied}>
        {copied === "yes" && words.bots.copied}
        {copied === "no" && words.bots.copyByHand}
      </p>
      <DialogActions>
        <Button onClick={onClose}>{words.bots.done}</Button>
        <Button look="primary" onClick={() => void copy()}>
          {words.bots.copy}
        </Button>
      </DialogActions>
    </div>
  );
}
