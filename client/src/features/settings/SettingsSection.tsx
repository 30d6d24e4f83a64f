import { type ReactNode, type Ref, useId } from "react";
import { errorText } from "../../failureText";
import { Button } from "../../ui/Button";
import { Problem } from "../../ui/Problem";
import { words } from "../../words";
import styles from "./SettingsSection.module.css";

interface Props {
  title: string;
  lead: string;
  /** Asks for what the section shows. */
  query: { data?: unknown; error?: Error | undefined; refetch(): Promise<unknown> };
  /** Takes the focus from what is gone. */
  headingRef: Ref<HTMLHeadingElement>;
  /** Concerns all of the section. */
  action?: ReactNode;
  children: ReactNode;
}

/** A part of the settings, with its state until it is there. */
export function SettingsSection({ title, lead, query, headingRef, action, children }: Props) {
  const id = useId();
  const { data, error, refetch } = query;
  return (
    <section className={styles.section} aria-labelledby={id}>
      <header className={styles.header}>
        <div>
          <h2 id={id} ref={headingRef} tabIndex={-1}>
            {title}
          </h2>
          <p>{lead}</p>
        </div>
        {data !== undefined && action}
      </header>
      {error && (
        <div className={styles.trouble}>
          <Problem>{errorText(error)}</Problem>
          {/* What fails is told by `error`. */}
          <Button onClick={() => void refetch().catch(() => undefined)}>
            {words.settings.retry}
          </Button>
        </div>
      )}
      {data !== undefined && children}
      {data === undefined && !error && <p className={styles.loading}>{words.loading}</p>}
    </section>
  );
}
