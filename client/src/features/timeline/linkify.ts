import { LinkifyIt } from "linkify-it";

export interface Piece {
  text: string;
  /** Set when the piece is a link. */
  href?: string;
}

const allowedSchemes = new Set(["http:", "https:", "mailto:"]);
const linkifier = new LinkifyIt({ fuzzyLink: true, fuzzyEmail: true, fuzzyIP: false })
  .add("ftp:", null)
  .add("//", null);

/** Cuts a text into plain pieces and links; joined, the pieces are the text. */
export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of linkifier.match(text) ?? []) {
    const href = safeUrl(match.url);
    if (href === null) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: text.slice(match.index, match.lastIndex), href });
    end = match.lastIndex;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

function safeUrl(candidate: string): string | null {
  const url = URL.parse(candidate);
  return url !== null && allowedSchemes.has(url.protocol) ? url.href : null;
}
