export const settingsPath = "/settings";

/** Addresses keep the colons of ids readable. */
export function roomPath(roomId: string): string {
  return `/r/${encodeURIComponent(roomId).replaceAll("%3A", ":")}`;
}

/** The room that an address names; null for any other address. */
export function roomIdOf(path: string): string | null {
  const encoded = /^\/r\/([^/]+)\/?$/.exec(path)?.[1];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded; // Not encoded by us: there will be no such room.
  }
}
