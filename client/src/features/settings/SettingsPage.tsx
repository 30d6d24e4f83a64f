import { words } from "../../words";
import { BotsSection } from "../bots/BotsSection";
import { BackLink } from "../rooms/BackLink";
import { SessionsSection } from "../session/SessionsSection";
import styles from "./SettingsPage.module.css";

export function SettingsPage() {
  return (
    <>
      <header className={styles.header}>
        <BackLink />
        <h1>{words.settings.title}</h1>
      </header>
      <div className={styles.scroller}>
        <div className={styles.column}>
          <SessionsSection />
          <BotsSection />
        </div>
      </div>
    </>
  );
}
