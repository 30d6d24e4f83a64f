import type { ReactNode } from "react";
import styles from "./Problem.module.css";

/** What went wrong, beside what it went wrong with. */
export function Problem({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className={styles.problem}>
      {children}
    </p>
  );
}
