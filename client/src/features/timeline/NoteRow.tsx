import { words } from "../../words";
import styles from "./NoteRow.module.css";

interface Props {
  username: string;
  online: boolean;
}

/** Who came and who went. */
export function NoteRow({ username, online }: Props) {
  return (
    <p className={styles.note}>
      {online ? words.presence.cameOnline(username) : words.presence.wentOffline(username)}
    </p>
  );
}
