import { IDBFactory } from "fake-indexeddb";
import { onTestFinished, vi } from "vitest";
import { ChatServer, socketClass } from "./server";

/** A browser that has never been here, and a server that it reaches as long as `network.isUp`. */
export function openBrowser(server = new ChatServer()) {
  const network = { isUp: true };
  const reach: typeof fetch = async (url, init) => {
    if (!network.isUp) throw new TypeError("Failed to fetch");
    return server.fetch(url, init);
  };
  vi.stubGlobal("fetch", reach);
  vi.stubGlobal(
    "WebSocket",
    socketClass(server, () => network.isUp),
  );
  vi.stubGlobal("indexedDB", new IDBFactory());
  vi.stubGlobal("navigator", { onLine: true, locks: undefined });
  localStorage.clear();
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  return { server, network };
}
