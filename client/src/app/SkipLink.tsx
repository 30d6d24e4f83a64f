import { words } from "../words";
import styles from "./SkipLink.module.css";

export const mainId = "conversation";

/** The first stop of the keyboard: over the list of chats, into the conversation. */
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
      {words.skipToConversation}
    </a>
  );
}
