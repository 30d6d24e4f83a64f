import { WifiOff } from "lucide-react";
import { words } from "../../words";
import styles from "./ConnectionBanner.module.css";
import { useConnection } from "./useConnection";

/** The element is always there, so that assistive technology hears its words change. */
export function ConnectionBanner() {
  const { state, retryNow } = useConnection();
  return (
    <div role="status" className={styles.banner}>
      {state !== "online" && (
        <p className={styles.notice}>
          <WifiOff aria-hidden size={16} />
          {words.connection[state]}
          {state === "reconnecting" && (
            <button type="button" onClick={retryNow}>
              {words.connection.retryNow}
            </button>
          )}
        </p>
      )}
    </div>
  );
}
