import type { ReactNode } from "react";
import styles from "./Dialog.module.css";

/** The buttons at the end of a dialog, the one that goes on last. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>;
}
