import type { ReactNode } from "react";
import styles from "./Cards.module.css";

/** The things of a section, one below the other. */
export function Cards({ children }: { children: ReactNode }) {
  return <ul className={styles.cards}>{children}</ul>;
}

interface CardProps {
  face: ReactNode;
  title: ReactNode;
  detail: string;
  /** Beside the title. */
  action?: ReactNode;
  /** Below it. */
  children?: ReactNode;
}

export function Card({ face, title, detail, action, children }: CardProps) {
  return (
    <li className={styles.card}>
      {face}
      <div className={styles.text}>
        <h3 className={styles.title}>{title}</h3>
        <p className={styles.detail}>{detail}</p>
      </div>
      {action}
      {children !== undefined && <div className={styles.rest}>{children}</div>}
    </li>
  );
}
