import { Redirect, useLocation } from "wouter";
import { Announcer } from "../a11y/Announcer";
import { Sidebar } from "../features/rooms/Sidebar";
import { useRoomSummary } from "../features/rooms/useRoomSummary";
import { useRooms } from "../features/rooms/useRooms";
import type { Viewer } from "../features/session/useSession";
import { Settings } from "../features/settings/Settings";
import { ConnectionBanner } from "../features/stream/ConnectionBanner";
import { NotFoundPage } from "../features/timeline/NotFoundPage";
import { RoomPage } from "../features/timeline/RoomPage";
import { roomIdOf, roomPath, settingsPath } from "../routes";
import { words } from "../words";
import styles from "./Shell.module.css";
import { mainId, SkipLink } from "./SkipLink";
import { useDocumentTitle } from "./useDocumentTitle";
import { useIsNarrow } from "./useIsNarrow";

/** The list of chats beside the open one, or the settings; on a narrow screen one of the two. */
export function Shell({ viewer }: { viewer: Viewer }) {
  const [location, navigate] = useLocation();
  const rooms = useRooms();
  const isNarrow = useIsNarrow();
  const roomId = roomIdOf(location);
  const unread = rooms.rooms.reduce((sum, room) => sum + rooms.unread(room.id), 0);
  const roomName = useRoomSummary(roomId ?? "", viewer.id)?.name ?? null;

  const general = rooms.rooms[0];
  const isHome = location === "/";
  const isSettings = location === settingsPath;
  useDocumentTitle(isSettings ? words.settings.title : roomName, unread);
  const isListAlone = isHome && isNarrow;
  return (
    <div className={styles.shell}>
      {!isListAlone && <SkipLink />}
      <ConnectionBanner />
      <Sidebar
        landmark={isListAlone ? "main" : "aside"}
        rooms={rooms}
        viewer={viewer}
        openRoomId={roomId}
        onOpenRoom={(openedId) => navigate(roomPath(openedId))}
      />
      {!isListAlone && (
        <main id={mainId} tabIndex={-1} className={styles.main}>
          {roomId !== null && <RoomPage key={roomId} roomId={roomId} viewerId={viewer.id} />}
          {isHome && general !== undefined && <Redirect to={roomPath(general.id)} replace />}
          {isSettings && <Settings />}
          {roomId === null && !isHome && !isSettings && <NotFoundPage />}
        </main>
      )}
      <Announcer />
    </div>
  );
}
