import { LogOut, Settings } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import type { Failure } from "../../failure";
import { failureText } from "../../failureText";
import { settingsPath } from "../../routes";
import { ThemeSwitch } from "../../theme/ThemeSwitch";
import { Avatar } from "../../ui/Avatar";
import { IconButton } from "../../ui/IconButton";
import iconButton from "../../ui/IconButton.module.css";
import { Problem } from "../../ui/Problem";
import { words } from "../../words";
import styles from "./AccountBar.module.css";
import { useLogOut, type Viewer } from "./useSession";

export function AccountBar({ viewer }: { viewer: Viewer }) {
  const logOut = useLogOut();
  const [location, navigate] = useLocation();
  const [failure, setFailure] = useState<Failure | null>(null);

  async function leave() {
    const failed = await logOut();
    setFailure(failed);
    // Whoever logs in next may have no such room.
    if (failed === null) navigate("/", { replace: true });
  }

  return (
    <section className={styles.bar} aria-label={words.account.label}>
      <Avatar name={viewer.username} size="small" />
      <p className={styles.name}>
        <bdi>{viewer.username}</bdi>
      </p>
      <Link
        href={settingsPath}
        className={iconButton.button}
        aria-label={words.account.settings}
        title={words.account.settings}
        aria-current={location === settingsPath ? "page" : undefined}
      >
        <Settings />
      </Link>
      <ThemeSwitch />
      <IconButton label={words.account.logOut} onClick={() => void leave()}>
        <LogOut />
      </IconButton>
      {failure !== null && <Problem>{failureText(failure)}</Problem>}
    </section>
  );
}
