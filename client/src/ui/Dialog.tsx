import { Dialog as Primitive } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { words } from "../words";
import styles from "./Dialog.module.css";
import iconButton from "./IconButton.module.css";

interface Props {
  title: string;
  lead: string;
  /** By default the first that can have it. */
  initialFocus?: RefObject<HTMLElement | null>;
  /** What is in it cannot be had again: a click beside it does not close it. */
  isPrecious?: boolean;
  onClose(): void;
  children: ReactNode;
}

/** Is open as long as it is rendered. */
export function Dialog({
  title,
  lead,
  initialFocus,
  isPrecious = false,
  onClose,
  children,
}: Props) {
  return (
    <Primitive.Root
      open
      disablePointerDismissal={isPrecious}
      onOpenChange={(isOpen) => isOpen || onClose()}
    >
      <Primitive.Portal>
        <Primitive.Backdrop className={styles.backdrop} />
        <Primitive.Popup className={styles.popup} initialFocus={initialFocus}>
          <header className={styles.header}>
            <div>
              <Primitive.Title className={styles.title}>{title}</Primitive.Title>
              <Primitive.Description className={styles.lead}>{lead}</Primitive.Description>
            </div>
            <Primitive.Close
              className={iconButton.button}
              aria-label={words.close}
              title={words.close}
            >
              <X />
            </Primitive.Close>
          </header>
          {children}
        </Primitive.Popup>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
