import { Code } from "lucide-react";
import { words } from "../words";
import styles from "./ProjectLink.module.css";

const projectPage = "https://github.com/parley-chat/parley";

export function ProjectLink() {
  return (
    <a className={styles.link} href={projectPage} target="_blank" rel="noopener noreferrer">
      <Code aria-hidden size={16} />
      {words.projectPage}
      <span className="visually-hidden"> ({words.opensElsewhere})</span>
    </a>
  );
}
