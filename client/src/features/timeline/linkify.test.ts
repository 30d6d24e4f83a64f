import fc from "fast-check";
import { expect, test } from "vitest";
import { linkify } from "./linkify";

const links = (text: string) =>
  linkify(text).flatMap(({ text, href }) => (href === undefined ? [] : [[text, href]]));

test.each([
  [
    "see https://example.com/a?b=c#d.",
    "https://example.com/a?b=c#d",
    "https://example.com/a?b=c#d",
  ],
  ["(http://example.com/a_(b))", "http://example.com/a_(b)", "http://example.com/a_(b)"],
  ["example.com is enough", "example.com", "http://example.com/"],
  ["write to mary@example.com", "mary@example.com", "mailto:mary@example.com"],
  [
    "שלום https://example.com/שלום",
    "https://example.com/שלום",
    "https://example.com/%D7%A9%D7%9C%D7%95%D7%9D",
  ],
])("%j has a link", (text, shown, href) => {
  expect(links(text)).toEqual([[shown, href]]);
});

test.each([
  "javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "ftp://example.com/x",
  "//example.com/x",
  "no link here, nor in 1.2.3",
])("%j has none", (text) => {
  expect(links(text)).toEqual([]);
});

test("the pieces of any text make up the text, and every link has an allowed scheme", () => {
  const fragment = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.webUrl(),
    fc.emailAddress(),
    fc.constantFrom(
      "javascript:",
      "JAVASCRIPT:",
      "data:",
      " ",
      "\n",
      "(",
      ")",
      "<",
      ">",
      "//",
      "www.a.com",
    ),
  );
  fc.assert(
    fc.property(fc.array(fragment), (fragments) => {
      const text = fragments.join("");
      const pieces = linkify(text);
      expect(pieces.map((piece) => piece.text).join("")).toBe(text);
      for (const { href } of pieces) expect(href ?? "https:").toMatch(/^(https?|mailto):/);
    }),
  );
});
