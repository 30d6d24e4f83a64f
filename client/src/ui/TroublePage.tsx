import { Button } from "./Button";
import styles from "./TroublePage.module.css";

interface Props {
  title: string;
  lead: string;
  /** What happened. */
  detail?: string;
  /** What can be done about it. */
  action: string;
  onAction(): void;
}

/** Stands in place of everything else. */
export function TroublePage({ title, lead, detail, action, onAction }: Props) {
  return (
    <main className={styles.page}>
      <img src="/icon.svg" alt="" />
      <h1>{title}</h1>
      <p>{lead}</p>
      {detail !== undefined && (
        <p role="alert" className={styles.detail}>
          {detail}
        </p>
      )}
      <Button look="primary" onClick={onAction}>
        {action}
      </Button>
    </main>
  );
}
