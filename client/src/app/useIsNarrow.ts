import { useSyncExternalStore } from "react";

// As in the style sheets: below it there is room for one pane.
const narrow = window.matchMedia("(width < 720px)");

export function useIsNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      narrow.addEventListener("change", listener);
      return () => narrow.removeEventListener("change", listener);
    },
    () => narrow.matches,
  );
}
