import { words } from "../words";
import styles from "./SkipLink.module.css";

export const mainId = "main";

/** The first stop of the keyboard: over the list of chats, to what stands beside it. */
export function SkipLink() {
  return (
    <a
      className={styles.link}
      href={`#${mainId}`}
      onClick={(event) => {
        // The address belongs to the router.
        event.preventDefault();
        document.getElementById(mainId)?.focus();
      }}
    >
      {words.skipToContent}
    </a>
  );
}
