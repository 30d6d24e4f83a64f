import { words } from "../words";

/** The language of the words, as it is written where the reader is at home. */
const locale = navigator.languages.find((tag) => tag.startsWith(words.language)) ?? words.language;

const clock = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "long" });
const dayOfYear = new Intl.DateTimeFormat(locale, {
  weekday: "long",
  day: "numeric",
  month: "long",
});
const fullDay = new Intl.DateTimeFormat(locale, {
  day: "numeric",
  month: "long",
  year: "numeric",
});
const shortDay = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const numericDay = new Intl.DateTimeFormat(locale, {
  day: "numeric",
  month: "numeric",
  year: "2-digit",
});

/** 10:32 */
export function clockTime(at: string): string {
  return clock.format(new Date(at));
}

/** Today, Yesterday, Monday, 3 March, or 3 March 2024: what tells the day apart soonest. */
export function dayName(at: string, today: Date): string {
  const date = new Date(at);
  const daysAgo = daysBetween(date, today);
  if (daysAgo === 0) return words.timeline.today;
  if (daysAgo === 1) return words.timeline.yesterday;
  if (daysAgo > 1 && daysAgo < 7) return weekday.format(date);
  return date.getFullYear() === today.getFullYear() ? dayOfYear.format(date) : fullDay.format(date);
}

/** As short as a list needs it: the time today, else the day. */
export function shortTime(at: string, today: Date): string {
  const date = new Date(at);
  const daysAgo = daysBetween(date, today);
  if (daysAgo === 0) return clock.format(date);
  if (daysAgo === 1) return words.timeline.yesterday;
  return date.getFullYear() === today.getFullYear()
    ? shortDay.format(date)
    : numericDay.format(date);
}

function daysBetween(date: Date, today: Date): number {
  const midnight = (of: Date) => new Date(of).setHours(0, 0, 0, 0);
  // Rounded: a day of a clock change has 23 or 25 hours.
  return Math.round((midnight(today) - midnight(date)) / 86_400_000);
}
