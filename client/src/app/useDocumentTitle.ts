import { useEffect } from "react";
import { words } from "../words";

export function useDocumentTitle(name: string | null, unread: number): void {
  useEffect(() => {
    document.title = words.documentTitle(name, unread);
  }, [name, unread]);
}
