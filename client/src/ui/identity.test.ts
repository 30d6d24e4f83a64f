import { expect, test } from "vitest";
import { hueOf, initialsOf } from "./identity";

test.each([
  ["Pablo", "P"],
  ["mary ann lee", "ML"],
  ["joe.smith", "JS"],
  ["élise", "É"],
  ["👩‍🚀 moon", "👩‍🚀M"],
  ["", "?"],
])("the initials of %j are %j", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

test("the colour depends on the name only and tells the demo users apart", () => {
  expect(hueOf("Pablo")).toBe(hueOf("pablo"));
  const hues = ["Pablo", "Joe", "Mary", "Alex"].map(hueOf).sort((a, b) => a - b);
  const gaps = hues.map((hue, index) => hue - (hues[index - 1] ?? hue - 360));
  expect(Math.min(...gaps)).toBeGreaterThan(15);
});
