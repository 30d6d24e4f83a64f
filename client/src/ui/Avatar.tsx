import type { ReactNode } from "react";
import styles from "./Avatar.module.css";
import { faceColorOf, initialsOf } from "./identity";

interface Props {
  name: string;
  size?: "small" | "medium";
  /** Sits on the corner, such as the online dot. */
  children?: ReactNode;
}

/** A picture made of the name: the same letters and colour wherever the name appears. */
export function Avatar({ name, size = "medium", children }: Props) {
  return (
    <span className={styles[size]}>
      <span aria-hidden className={styles.face} style={{ backgroundColor: faceColorOf(name) }}>
        {initialsOf(name)}
      </span>
      {children}
    </span>
  );
}
