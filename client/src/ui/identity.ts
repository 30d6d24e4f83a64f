const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The first letters of the first and the last word: "mary ann lee" is "ML". */
export function initialsOf(name: string): string {
  const parts = name
    .trim()
    .split(/[\s._-]+/u)
    .filter(Boolean);
  const ends = parts.length > 1 ? [parts[0], parts.at(-1)] : parts;
  return ends.map((part) => firstGrapheme(part ?? "").toLocaleUpperCase()).join("") || "?";
}

/** The colour behind the initials: white letters stand on it in both themes. */
export function faceColorOf(name: string): string {
  return `oklch(0.5 0.095 ${hueOf(name)})`;
}

/** The same colour for the name itself, as text. */
export function nameColorOf(name: string): string {
  const hue = hueOf(name);
  return `light-dark(oklch(0.46 0.1 ${hue}), oklch(0.8 0.085 ${hue}))`;
}

/** A hue from 0 to 358 that depends on the name only. */
export function hueOf(name: string): number {
  // A prime number of hues lets every character count; 91 sets the demo users well apart.
  return [...name.toLowerCase()].reduce(
    (hue, character) => (hue * 91 + (character.codePointAt(0) ?? 0)) % 359,
    0,
  );
}

function firstGrapheme(text: string): string {
  for (const { segment } of graphemes.segment(text)) return segment;
  return "";
}
