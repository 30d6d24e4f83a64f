import { createSavedState } from "../savedState";
import { useStore } from "../store";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const saved = createSavedState<Theme>("parley:theme", "system");

/** Shows the theme chosen earlier, before the first paint, and each one chosen later, here or in another tab. */
export function followTheme(): void {
  show();
  saved.subscribe(show);
}

export function chooseTheme(theme: Theme): void {
  saved.set(theme);
}

export function useTheme(): Theme {
  return known(useStore(saved));
}

function show(): void {
  const theme = known(saved.get());
  // Without the attribute the style sheet follows the system.
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Another version of this page may have saved one that this one has not. */
function known(theme: Theme): Theme {
  return themes.includes(theme) ? theme : "system";
}
