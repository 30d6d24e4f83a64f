import { Search } from "lucide-react";
import { useRef, useState } from "react";
import type { Failure } from "../../failure";
import { failureText } from "../../failureText";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { PickList } from "../../ui/PickList";
import { Problem } from "../../ui/Problem";
import { words } from "../../words";
import { useOpenPrivateRoom } from "../rooms/useRooms";
import styles from "./PeopleDialog.module.css";
import { PersonButton } from "./PersonButton";
import { usePeople } from "./usePeople";

interface Props {
  onClose(): void;
  onOpenRoom(roomId: string): void;
}

export function PeopleDialog({ onClose, onOpenRoom }: Props) {
  const [query, setQuery] = useState("");
  const [openingFailure, setOpeningFailure] = useState<Failure | null>(null);
  const { people, hasMore, loadMore, status, failure } = usePeople(query.trim());
  const openPrivateRoom = useOpenPrivateRoom();
  const searchInput = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);

  const problem = openingFailure ?? failure;

  async function choose(userId: string) {
    const opened = await openPrivateRoom(userId);
    if ("roomId" in opened) onOpenRoom(opened.roomId);
    else setOpeningFailure(opened);
  }

  return (
    <Dialog
      title={words.people.title}
      lead={words.people.lead}
      initialFocus={searchInput}
      onClose={onClose}
    >
      <div className={styles.search}>
        <Search aria-hidden size={18} />
        <input
          ref={searchInput}
          type="search"
          aria-label={words.people.search}
          placeholder={words.people.search}
          autoComplete="off"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "ArrowDown") return;
            event.preventDefault();
            list.current?.querySelector("button")?.focus();
          }}
        />
      </div>
      {problem && <Problem>{failureText(problem)}</Problem>}
      <PickList ref={list} label={words.people.list}>
        {people.map((person) => (
          <PersonButton
            key={person.id}
            person={person}
            onChoose={(userId) => void choose(userId)}
          />
        ))}
      </PickList>
      {people.length === 0 && status !== "failed" && (
        <p className={styles.none}>{emptyText(status === "loading", query.trim())}</p>
      )}
      {/* What fails is told by `failure`. */}
      {hasMore && (
        <Button onClick={() => void loadMore().catch(() => undefined)}>{words.people.more}</Button>
      )}
    </Dialog>
  );
}

function emptyText(isLoading: boolean, query: string): string {
  if (isLoading) return words.loading;
  return query === "" ? words.people.none : words.people.noMatch(query);
}
