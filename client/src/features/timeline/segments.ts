/**
 * What is known of a room's messages: pieces of its history, each without a hole inside.
 *
 * Cursors of a room sort as strings. A segment says: these are all the messages from the cursor
 * `from` to the cursor `to`. So the order in which pages and live messages arrive does not matter, nor how
 * often; and between two segments that do not touch there may be messages that are not known yet.
 */

export interface Edge {
  readonly cursor: string;
  /** Tells which message it is. The cursor does not: it changes with each life of the server's store. */
  readonly node: { readonly __ref: string };
}

export interface Segment<E extends Edge> {
  readonly from: string;
  readonly to: string;
  readonly edges: readonly E[];
}

export interface Timeline<E extends Edge> {
  /** In order, none touching another. The stream keeps the one that reaches END whole. */
  readonly segments: readonly Segment<E>[];
  /** A cursor in the segment that is being read; null until a page has come. */
  readonly at: string | null;
}

export interface Page<E extends Edge> {
  readonly edges: readonly E[];
  readonly hasPreviousPage: boolean;
  readonly hasNextPage: boolean;
  /** Ends before this message; without `before` and `after` it is the newest page. */
  readonly before?: string;
  /** Begins after this message. */
  readonly after?: string;
}

/** Before every cursor, and after every cursor. */
export const START = "";
export const END = "\uffff";

/** How many messages are kept of the segment that is read. */
export const WINDOW = 2_000;
/** How many are kept of the present while something else is read. */
export const TAIL = 100;
/** How many segments are kept that are neither read nor the present. */
const STRAYS = 8;

// biome-ignore lint/suspicious/noExplicitAny: it holds no edge, so it fits a timeline of any.
export const EMPTY: Timeline<any> = { segments: [], at: null };

/** A page was read. */
export function withPage<E extends Edge>(timeline: Timeline<E>, page: Page<E>): Timeline<E> {
  const anchor = page.before ?? page.after;
  if (anchor !== undefined && !timeline.segments.some((segment) => holds(segment, anchor))) {
    return timeline; // The reader has left that place meanwhile.
  }
  const from = page.after ?? (page.hasPreviousPage ? first(page.edges, START) : START);
  const to = page.before ?? endOf(page, from, present(timeline));
  const segments = cover(timeline.segments, { from, to, edges: page.edges });
  return trimmed(limited({ segments, at: anchor ?? END }, page.before === undefined));
}

/** A message arrived by the stream, or was sent. It is of no use to a room that is not loaded. */
export function withArrival<E extends Edge>(timeline: Timeline<E>, edge: E): Timeline<E> {
  if (!present(timeline)) return timeline;
  const { cursor } = edge;
  const segments = cover(timeline.segments, { from: cursor, to: cursor, edges: [edge] });
  const next = { ...timeline, segments };
  const isLong = (viewed(next)?.edges.length ?? 0) > 2 * WINDOW;
  return trimmed(isLong ? limited(next, true) : next);
}

/** The room is left, or its reader jumps to the present: only the newest are kept. */
export function atPresent<E extends Edge>(timeline: Timeline<E>): Timeline<E> {
  const live = present(timeline);
  if (!live) return timeline;
  return { segments: [newest(live, TAIL)], at: END };
}

/** The segment that is being read. */
export function viewed<E extends Edge>({ segments, at }: Timeline<E>): Segment<E> | undefined {
  return at === null ? undefined : segments.find((segment) => holds(segment, at));
}

/** Adds a segment and joins it with those that it touches. */
function cover<E extends Edge>(segments: readonly Segment<E>[], added: Segment<E>): Segment<E>[] {
  const apart = segments.filter(({ from, to }) => to < added.from || added.to < from);
  const joined = segments
    .filter(({ from, to }) => to >= added.from && added.to >= from)
    .reduce(join, added);
  return [...apart, joined].sort((a, b) => (a.from < b.from ? -1 : 1));
}

function join<E extends Edge>(all: Segment<E>, segment: Segment<E>): Segment<E> {
  const [from = all.from] = [all.from, segment.from].sort();
  const [, to = all.to] = [all.to, segment.to].sort();
  return { from, to, edges: union(segment.edges, all.edges) };
}

function union<E extends Edge>(known: readonly E[], added: readonly E[]): readonly E[] {
  const isLater = last(known, START) < first(added, END);
  if (isLater && known.at(-1)?.node.__ref !== added[0]?.node.__ref) return [...known, ...added];
  const byMessage = new Map([...added, ...known].map((edge) => [edge.node.__ref, edge]));
  return [...byMessage.values()].sort((a, b) => (a.cursor < b.cursor ? -1 : 1));
}

/** The stream vouches for what follows the newest page. Where that is there already, the two have to touch. */
function endOf<E extends Edge>(page: Page<E>, from: string, live: Segment<E> | undefined): string {
  return page.hasNextPage || live ? last(page.edges, from) : END;
}

/** Bounds the segment that is read, by dropping what is farthest from where the reader goes. */
function limited<E extends Edge>(timeline: Timeline<E>, isTowardsPresent: boolean): Timeline<E> {
  const long = viewed(timeline);
  if (!long || long.edges.length <= WINDOW) return timeline;
  const pieces = isTowardsPresent ? [newest(long, WINDOW)] : split(long);
  const segments = timeline.segments.flatMap((segment) => (segment === long ? pieces : [segment]));
  return { ...timeline, segments };
}

/** Its oldest part, and of the present its newest. */
function split<E extends Edge>(segment: Segment<E>): Segment<E>[] {
  const edges = segment.edges.slice(0, WINDOW);
  const oldest = { from: segment.from, to: last(edges, segment.from), edges };
  const rest = { ...segment, edges: segment.edges.slice(WINDOW) };
  const tail = { ...newest(rest, TAIL), from: first(rest.edges.slice(-TAIL), segment.to) };
  return segment.to === END ? [oldest, tail] : [oldest];
}

/** Bounds the rest; a reader whose segment reaches the present goes along with it. */
function trimmed<E extends Edge>({ segments, at }: Timeline<E>): Timeline<E> {
  const reading = viewed({ segments, at });
  const live = segments.find(({ to }) => to === END);
  const strays = segments.filter((segment) => segment !== reading && segment !== live);
  const kept = new Set([reading, live, ...strays.slice(-STRAYS)]);
  return {
    segments: segments
      .filter((segment) => kept.has(segment))
      .map((segment) =>
        segment === live && segment !== reading ? newest(segment, TAIL) : segment,
      ),
    at: reading?.to === END ? END : at,
  };
}

function newest<E extends Edge>(segment: Segment<E>, count: number): Segment<E> {
  if (segment.edges.length <= count) return segment;
  const edges = segment.edges.slice(-count);
  return { ...segment, from: first(edges, segment.from), edges };
}

function present<E extends Edge>({ segments }: Timeline<E>): Segment<E> | undefined {
  return segments.find(({ to }) => to === END);
}

function holds<E extends Edge>({ from, to }: Segment<E>, cursor: string): boolean {
  return from <= cursor && cursor <= to;
}

const first = (edges: readonly Edge[], otherwise: string) => edges[0]?.cursor ?? otherwise;
const last = (edges: readonly Edge[], otherwise: string) => edges.at(-1)?.cursor ?? otherwise;
