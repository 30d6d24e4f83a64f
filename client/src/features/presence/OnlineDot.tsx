import { words } from "../../words";
import styles from "./OnlineDot.module.css";

export function OnlineDot({ online }: { online: boolean }) {
  return (
    <span className={online ? styles.online : styles.offline}>
      <span className="visually-hidden">
        {online ? words.presence.online : words.presence.offline}
      </span>
    </span>
  );
}
