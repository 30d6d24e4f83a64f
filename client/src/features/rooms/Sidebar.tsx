import { SquarePen } from "lucide-react";
import { type ComponentProps, useState } from "react";
import { failureText } from "../../failureText";
import { IconButton } from "../../ui/IconButton";
import { Problem } from "../../ui/Problem";
import { ProjectLink } from "../../ui/ProjectLink";
import { useLater } from "../../useLater";
import { words } from "../../words";
import type { PeopleDialog } from "../people/PeopleDialog";
import { AccountBar } from "../session/AccountBar";
import type { Viewer } from "../session/useSession";
import { RoomList } from "./RoomList";
import styles from "./Sidebar.module.css";
import type { Rooms } from "./useRooms";

// Comes when it is wanted: its primitives are a sixth of the rest.
const importPeopleDialog = () => import("../people/PeopleDialog");
// What fails is told when the dialog is wanted.
const preloadPeopleDialog = () => void importPeopleDialog().catch(() => undefined);

interface Props {
  landmark: "aside" | "main";
  rooms: Rooms;
  viewer: Viewer;
  openRoomId: string | null;
  onOpenRoom(roomId: string): void;
}

export function Sidebar({ landmark: Landmark, rooms, viewer, openRoomId, onOpenRoom }: Props) {
  /** Which time it is that one chooses whom to talk to; 0 while one does not. */
  const [choosing, setChoosing] = useState(0);
  return (
    <Landmark className={styles.sidebar} aria-label={words.rooms.sidebar}>
      <header className={styles.header}>
        <img src="/icon.svg" alt="" />
        <h1>{words.productName}</h1>
        <IconButton
          label={words.rooms.newChat}
          aria-haspopup="dialog"
          onPointerEnter={preloadPeopleDialog}
          onFocus={preloadPeopleDialog}
          onClick={() => setChoosing(choosing + 1)}
        >
          <SquarePen />
        </IconButton>
      </header>
      {choosing > 0 && (
        <NewChat
          key={choosing}
          onClose={() => setChoosing(0)}
          onOpenRoom={(roomId) => {
            setChoosing(0);
            onOpenRoom(roomId);
          }}
        />
      )}
      <nav className={styles.rooms} aria-label={words.rooms.title}>
        <RoomList rooms={rooms} viewerId={viewer.id} openRoomId={openRoomId} />
      </nav>
      <div className={styles.project}>
        <ProjectLink />
      </div>
      <AccountBar viewer={viewer} />
    </Landmark>
  );
}

function NewChat(props: ComponentProps<typeof PeopleDialog>) {
  const { module, failure } = useLater(importPeopleDialog);
  if (module !== null) return <module.PeopleDialog {...props} />;
  if (failure === null) return null;
  return (
    <div className={styles.problem}>
      <Problem>{failureText(failure)}</Problem>
    </div>
  );
}
