import { LogOut } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import type { Failure } from "../../failure";
import { failureText } from "../../failureText";
import { ThemeSwitch } from "../../theme/ThemeSwitch";
import { Avatar } from "../../ui/Avatar";
import { IconButton } from "../../ui/IconButton";
import { words } from "../../words";
import styles from "./AccountBar.module.css";
import { useLogOut, type Viewer } from "./useSession";

export function AccountBar({ viewer }: { viewer: Viewer }) {
  const logOut = useLogOut();
  const [, navigate] = useLocation();
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
      <ThemeSwitch />
      <IconButton label={words.account.logOut} onClick={() => void leave()}>
        <LogOut />
      </IconButton>
      {failure !== null && (
        <p role="alert" className={styles.problem}>
          {failureText(failure)}
        </p>
      )}
    </section>
  );
}
