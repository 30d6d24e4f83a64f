import { words } from "../words";
import styles from "./BotMark.module.css";

/** Says beside a name that it is a program's. */
export function BotMark() {
  // The blank parts it from the name for whoever hears them.
  return <span className={styles.mark}>{` ${words.bot.mark}`}</span>;
}
