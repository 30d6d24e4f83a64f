import { type InputHTMLAttributes, type ReactNode, useId } from "react";
import styles from "./Field.module.css";

interface Props extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  /** Sits inside at the end, such as a button that shows the password. */
  action?: ReactNode;
  ref?: React.Ref<HTMLInputElement>;
}

export function Field({ label, hint, error, action, ref, ...input }: Props) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <div className={styles.box}>
        <input
          {...input}
          ref={ref}
          id={id}
          aria-invalid={error !== undefined}
          aria-describedby={note === undefined ? undefined : `${id}-note`}
        />
        {action}
      </div>
      <p
        id={`${id}-note`}
        role={error === undefined ? undefined : "alert"}
        className={error ? styles.error : styles.hint}
      >
        {note}
      </p>
    </div>
  );
}
