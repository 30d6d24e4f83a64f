import type { ReactNode } from "react";
import styles from "./Mark.module.css";

/** A word beside a name. */
export function Mark({ children }: { children: ReactNode }) {
  // The blank parts it from the name for whoever hears them.
  return <span className={styles.mark}> {children}</span>;
}
