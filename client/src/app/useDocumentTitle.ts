import { useEffect } from "react";
import { words } from "../words";

export function useDocumentTitle(roomName: string | null, unread: number): void {
  useEffect(() => {
    document.title = words.documentTitle(roomName, unread);
  }, [roomName, unread]);
}
