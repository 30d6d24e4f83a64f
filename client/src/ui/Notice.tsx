import type { ReactNode } from "react";
import styles from "./Notice.module.css";

interface Props {
  title: string;
  /** The first heading of a page that has nothing else. */
  heading?: "h1" | "h2";
  lead?: string;
  role?: "alert";
  /** What can be done about it. */
  children?: ReactNode;
}

/** A few words in the middle of an otherwise empty place. */
export function Notice({ title, heading: Heading = "h2", lead, role, children }: Props) {
  return (
    <div className={styles.notice} role={role}>
      <Heading>{title}</Heading>
      {lead !== undefined && <p>{lead}</p>}
      {children !== undefined && <div className={styles.actions}>{children}</div>}
    </div>
  );
}
