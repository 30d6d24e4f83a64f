import { createStore, type Store } from "./store";

/**
 * A value in the browser's storage, the same in all tabs. Where the storage is full or forbidden it
 * lives as long as the page.
 */
export interface SavedState<Value> extends Store<Value> {
  /** As `set`, but the storage keeps what it has until the next `set`. */
  setUnsaved(value: Value): void;
  /** Stops following the other tabs. */
  close(): void;
}

export function createSavedState<Value>(key: string, initial: Value): SavedState<Value> {
  const store = createStore(parse(read(key), initial));
  const follow = (event: StorageEvent) => {
    if (event.key === key) store.set(parse(event.newValue, initial));
  };
  window.addEventListener("storage", follow);
  return {
    ...store,
    setUnsaved: store.set,
    set(next) {
      store.set(next);
      write(key, JSON.stringify(next));
    },
    close: () => window.removeEventListener("storage", follow),
  };
}

function parse<Value>(text: string | null, initial: Value): Value {
  if (text === null) return initial;
  try {
    // Nobody else writes to this key.
    return JSON.parse(text) as Value;
  } catch {
    return initial; // Cut off or tampered with; what was there is worth less than a page that works.
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch (error) {
    console.warn("The browser does not let this page keep anything.", error);
    return null;
  }
}

function write(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch (error) {
    console.warn("This will be gone when the page is closed.", error);
  }
}
