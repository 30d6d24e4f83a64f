import { expect, test } from "vitest";
import { dayName, shortTime } from "./clock";

const now = new Date(2026, 10, 24, 0, 5);
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString();

test.each([
  [at(2026, 10, 24, 0, 1), "Today"],
  [at(2026, 10, 23, 23, 59), "Yesterday"],
  [at(2026, 10, 20, 12, 0), "Friday"],
])("%s is %s", (moment, name) => {
  expect(dayName(moment, now)).toBe(name);
});

test("older days say more, the older the more", () => {
  expect(dayName(at(2026, 2, 3, 12, 0), now)).toMatch(/March/);
  expect(dayName(at(2026, 2, 3, 12, 0), now)).not.toMatch(/2026/);
  expect(dayName(at(2024, 2, 3, 12, 0), now)).toMatch(/2024/);
});

test("a list shows the time of today and the day of what is older", () => {
  expect(shortTime(at(2026, 10, 24, 0, 1), now)).toMatch(/12:01|00:01|0:01/);
  expect(shortTime(at(2026, 10, 23, 12, 0), now)).toBe("Yesterday");
  expect(shortTime(at(2026, 8, 3, 12, 0), now)).toMatch(/Sep/);
});
