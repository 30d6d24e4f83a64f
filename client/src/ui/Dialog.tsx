import { Dialog as Primitive } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { words } from "../words";
import styles from "./Dialog.module.css";
import iconButton from "./IconButton.module.css";

interface Props {
  title: string;
  lead: string;
  initialFocus: RefObject<HTMLElement | null>;
  onClose(): void;
  children: ReactNode;
}

/** Is open as long as it is rendered. */
export function Dialog({ title, lead, initialFocus, onClose, children }: Props) {
  return (
    <Primitive.Root open onOpenChange={(isOpen) => isOpen || onClose()}>
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
