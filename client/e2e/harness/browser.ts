import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A wheel's step has its whole effect at once.
  "--disable-smooth-scrolling",
];

/** CHROMIUM may name one. */
export function openBrowser(): Promise<Browser> {
  const names = process.env.CHROMIUM ? [process.env.CHROMIUM] : NAMES;
  const executablePath = names.map(which).find((path) => path !== undefined);
  if (executablePath === undefined) {
    throw new Error("There is no Chromium: install it, or set CHROMIUM to one.");
  }
  return chromium.launch({ executablePath, args: FLAGS });
}

function which(name: string): string | undefined {
  const folders = name.includes("/") ? [""] : (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
