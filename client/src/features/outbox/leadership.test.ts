import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLocks } from "../../testing/locks";
import { takeTurns } from "./leadership";

let visibility: DocumentVisibilityState;
const stops: (() => void)[] = [];
const leaders = new Set<string>();

beforeEach(() => {
  visibility = "visible";
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visibility);
  vi.stubGlobal("navigator", { locks: createLocks() });
});

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.unstubAllGlobals();
});

/** A tab that is in front, or not, when it is opened. */
function openTab(name: string, isVisible: boolean): () => void {
  visibility = isVisible ? "visible" : "hidden";
  const stop = takeTurns("job", (signal) => {
    leaders.add(name);
    signal.addEventListener("abort", () => leaders.delete(name));
  });
  stops.push(stop);
  return stop;
}

const leading = (...names: string[]) => vi.waitFor(() => expect([...leaders]).toEqual(names));

test("the tab that comes to the front leads, and only that one", async () => {
  openTab("first", true);
  await leading("first");
  openTab("behind", false);
  openTab("second", true);
  await leading("second");
});

test("when the leader is closed another one follows", async () => {
  const close = openTab("first", true);
  openTab("second", false);
  await leading("first");
  close();
  await leading("second");
});

test("a tab that is looked at again takes over", async () => {
  openTab("first", true);
  openTab("second", true);
  await leading("second");
  visibility = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  await leading("second");
  visibility = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  await leading("first");
});

test("without locks every tab leads", async () => {
  vi.stubGlobal("navigator", {});
  openTab("first", true);
  openTab("second", true);
  await leading("first", "second");
});
