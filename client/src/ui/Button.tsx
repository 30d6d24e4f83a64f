import type { ButtonHTMLAttributes, Ref } from "react";
import styles from "./Button.module.css";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: "primary" | "quiet" | "danger";
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ look = "quiet", ...rest }: Props) {
  return <button type="button" className={styles[look]} {...rest} />;
}
