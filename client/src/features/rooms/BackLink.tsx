import { ArrowLeft } from "lucide-react";
import { Link } from "wouter";
import iconButton from "../../ui/IconButton.module.css";
import { words } from "../../words";
import styles from "./BackLink.module.css";

/** Leads to the list of chats, where that does not stand beside the page. */
export function BackLink() {
  return (
    <Link
      href="/"
      className={`${iconButton.button} ${styles.back}`}
      aria-label={words.rooms.back}
      title={words.rooms.back}
    >
      <ArrowLeft />
    </Link>
  );
}
