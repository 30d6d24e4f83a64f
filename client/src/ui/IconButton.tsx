import type { ButtonHTMLAttributes } from "react";
import styles from "./IconButton.module.css";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** Says what the picture means; also the tooltip. */
  label: string;
}

export function IconButton({ label, className, ...rest }: Props) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={joined(styles.button, className)}
      {...rest}
    />
  );
}

function joined(...names: (string | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}
