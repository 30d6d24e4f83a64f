import { words } from "../../words";
import styles from "./TimelineSkeleton.module.css";

const widths = ["58%", "34%", "46%", "28%", "62%", "40%"];

export function TimelineSkeleton() {
  return (
    <div className={styles.skeleton} aria-busy>
      <p className="visually-hidden">{words.timeline.loading}</p>
      {widths.map((width, index) => (
        <div key={width} className={styles.row} data-own={index % 3 === 2}>
          <div className={styles.bubble} style={{ width }} />
        </div>
      ))}
    </div>
  );
}
