import { SquarePen } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { IconButton } from "../../ui/IconButton";
import { ProjectLink } from "../../ui/ProjectLink";
import { words } from "../../words";
import { AccountBar } from "../session/AccountBar";
import type { Viewer } from "../session/useSession";
import { RoomList } from "./RoomList";
import styles from "./Sidebar.module.css";
import type { Rooms } from "./useRooms";

// Comes when it is wanted: its primitives are a sixth of the rest.
const importPeopleDialog = () => import("../people/PeopleDialog");
const PeopleDialog = lazy(importPeopleDialog);

interface Props {
  landmark: "aside" | "main";
  rooms: Rooms;
  viewer: Viewer;
  openRoomId: string | null;
  onOpenRoom(roomId: string): void;
}

export function Sidebar({ landmark: Landmark, rooms, viewer, openRoomId, onOpenRoom }: Props) {
  const [isChoosing, setIsChoosing] = useState(false);
  return (
    <Landmark className={styles.sidebar} aria-label={words.rooms.sidebar}>
      <header className={styles.header}>
        <img src="/icon.svg" alt="" />
        <h1>{words.productName}</h1>
        <IconButton
          label={words.rooms.newChat}
          aria-haspopup="dialog"
          onPointerEnter={() => void importPeopleDialog()}
          onFocus={() => void importPeopleDialog()}
          onClick={() => setIsChoosing(true)}
        >
          <SquarePen />
        </IconButton>
      </header>
      <nav className={styles.rooms} aria-label={words.rooms.title}>
        <RoomList rooms={rooms} viewerId={viewer.id} openRoomId={openRoomId} />
      </nav>
      <div className={styles.project}>
        <ProjectLink />
      </div>
      <AccountBar viewer={viewer} />
      {isChoosing && (
        <Suspense>
          <PeopleDialog
            onClose={() => setIsChoosing(false)}
            onOpenRoom={(roomId) => {
              setIsChoosing(false);
              onOpenRoom(roomId);
            }}
          />
        </Suspense>
      )}
    </Landmark>
  );
}
