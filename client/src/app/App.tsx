import { LogInPage } from "../features/session/LogInPage";
import { ServerAwayPage } from "../features/session/ServerAwayPage";
import { useSession } from "../features/session/useSession";
import { words } from "../words";
import styles from "./App.module.css";
import { Shell } from "./Shell";

export function App() {
  const session = useSession();
  switch (session.status) {
    case "loading":
      return <Splash />;
    case "unreachable":
      return <ServerAwayPage failure={session.failure} onRetry={session.retry} />;
    case "signedOut":
      return <LogInPage reason={session.reason} />;
    case "signedIn":
      return <Shell viewer={session.viewer} />;
  }
}

function Splash() {
  return (
    <main className={styles.splash} aria-busy>
      <h1 className="visually-hidden">{words.productName}</h1>
      <img src="/icon.svg" alt={words.loading} />
    </main>
  );
}
