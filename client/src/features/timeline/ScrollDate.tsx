import { dayName } from "../../ui/clock";
import { useToday } from "../../ui/useToday";
import styles from "./ScrollDate.module.css";

interface Props {
  at: string;
  isShown: boolean;
}

/** The day of the topmost row while scrolling. The dates between the rows say it to assistive technology. */
export function ScrollDate({ at, isShown }: Props) {
  return (
    <div aria-hidden className={styles.date} data-shown={isShown}>
      {dayName(at, useToday())}
    </div>
  );
}
