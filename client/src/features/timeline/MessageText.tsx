import type { ReactNode } from "react";
import { linkify } from "./linkify";
import styles from "./MessageText.module.css";

interface Props {
  text: string;
  /** Links are stops of the keyboard in the row that is one itself. */
  isTabStop: boolean;
  /** Floats at the end of the last line. */
  children?: ReactNode;
}

/** Text as text, whatever it holds; only addresses become links. */
export function MessageText({ text, isTabStop, children }: Props) {
  return (
    <p dir="auto" className={styles.text}>
      {linkify(text).map((piece, index) =>
        piece.href === undefined ? (
          piece.text
        ) : (
          <a
            key={index}
            href={piece.href}
            tabIndex={isTabStop ? 0 : -1}
            target="_blank"
            rel="noopener noreferrer"
          >
            {piece.text}
          </a>
        ),
      )}
      {children}
    </p>
  );
}
