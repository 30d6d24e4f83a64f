import type { ReactNode, Ref } from "react";
import { moveFocusByArrows } from "../a11y/arrowKeys";
import styles from "./PickList.module.css";

interface Props {
  label: string;
  ref?: Ref<HTMLUListElement>;
  /** `PickItem`s. */
  children: ReactNode;
}

/** A list, as long as its dialog lets it be, of which one is picked. */
export function PickList({ label, ref, children }: Props) {
  return (
    <ul ref={ref} className={styles.list} aria-label={label} onKeyDown={moveFocusByArrows}>
      {children}
    </ul>
  );
}

interface ItemProps {
  name: string;
  /** Stands before the name. */
  face: ReactNode;
  /** Says more about the name, such as that it is a bot's. */
  mark?: ReactNode;
  /** Stands at the end. */
  note?: ReactNode;
  onPick(): void;
}

export function PickItem({ name, face, mark, note, onPick }: ItemProps) {
  return (
    <li>
      <button type="button" className={styles.item} onClick={onPick}>
        {face}
        <span className={styles.name}>
          <bdi>{name}</bdi>
          {mark}
        </span>
        {note && <span className={styles.note}>{note}</span>}
      </button>
    </li>
  );
}
