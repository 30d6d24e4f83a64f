import { useSyncExternalStore } from "react";

const MINUTE = 60_000;

/** The beginning of the day; a page that stays open over midnight renders anew. */
export function useToday(): Date {
  return new Date(useSyncExternalStore(eachMinute, beginningOfDay));
}

/** A timer up to midnight would be late by as long as the device sleeps. */
function eachMinute(look: () => void): () => void {
  const timer = setInterval(look, MINUTE);
  return () => clearInterval(timer);
}

function beginningOfDay(): number {
  return new Date().setHours(0, 0, 0, 0);
}
