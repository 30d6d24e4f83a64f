import { useRef } from "react";
import { words } from "../words";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { DialogActions } from "./DialogActions";
import { Problem } from "./Problem";

interface Props {
  title: string;
  /** What will be so afterwards. */
  lead: string;
  /** What the button does. */
  action: string;
  isBusy: boolean;
  /** Why it did not happen. */
  problem: string | undefined;
  onConfirm(): void;
  onClose(): void;
}

/** Asks before something that cannot be undone. */
export function ConfirmDialog({ title, lead, action, isBusy, problem, onConfirm, onClose }: Props) {
  const cancel = useRef<HTMLButtonElement>(null);
  return (
    <Dialog title={title} lead={lead} initialFocus={cancel} onClose={onClose}>
      {problem !== undefined && <Problem>{problem}</Problem>}
      <DialogActions>
        <Button ref={cancel} onClick={onClose}>
          {words.cancel}
        </Button>
        <Button look="danger" aria-disabled={isBusy} onClick={() => isBusy || onConfirm()}>
          {action}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
