import { type Example, examples } from "./examples";

const STORED = "graphiql:tabState";

/**
 * The tab to begin with: the last active one, on a first visit the first example.
 *
 * GraphiQL restores all tabs, but left alone it fills the editors from what was edited last and
 * adds a tab for it where that matches none. Also it leaves out the variables of the first default.
 */
export function activeTab(): Example {
  return storedTab() ?? examples[0];
}

function storedTab(): Example | undefined {
  try {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem(STORED) ?? "{}");
    return tabs?.[activeTabIndex];
  } catch {
    return undefined; // Storage is not allowed, or not ours.
  }
}
