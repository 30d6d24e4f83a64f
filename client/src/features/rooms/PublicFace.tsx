import { MessagesSquare } from "lucide-react";
import styles from "./PublicFace.module.css";

/** Stands where a private chat has the picture of the other one. */
export function PublicFace() {
  return (
    <span aria-hidden className={styles.face}>
      <MessagesSquare size={20} strokeWidth={1.75} />
    </span>
  );
}
