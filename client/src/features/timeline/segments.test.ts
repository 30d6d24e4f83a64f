import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  atPresent,
  type Edge,
  EMPTY,
  END,
  type Page,
  START,
  TAIL,
  type Timeline,
  viewed,
  WINDOW,
  withArrival,
  withPage,
} from "./segments";

/** A cursor for a place in history; places are not in the order of arrival. */
function edge(place: number, epoch = ""): Edge {
  const digits = String(place).padStart(6, "0");
  return { cursor: digits + epoch, node: { __ref: `Message:${digits}` } };
}

/** A room on a server: what its pages say, and a stream that lags behind it. */
class Server {
  readonly history: Edge[] = [];
  private readonly undelivered: Edge[] = [];

  say(place: number): void {
    const added = edge(place);
    if (this.history.some(({ cursor }) => cursor === added.cursor)) return;
    this.history.push(added);
    this.history.sort((a, b) => (a.cursor < b.cursor ? -1 : 1));
    this.undelivered.push(added);
  }

  newest(size: number): Page<Edge> {
    const edges = this.history.slice(-size);
    return { edges, hasPreviousPage: edges.length < this.history.length, hasNextPage: false };
  }

  before(before: string, size: number): Page<Edge> {
    const older = this.history.filter(({ cursor }) => cursor < before);
    const edges = older.slice(-size);
    return { edges, hasPreviousPage: edges.length < older.length, hasNextPage: true, before };
  }

  after(after: string, size: number): Page<Edge> {
    const newer = this.history.filter(({ cursor }) => cursor > after);
    const edges = newer.slice(0, size);
    return { edges, hasPreviousPage: true, hasNextPage: edges.length < newer.length, after };
  }

  readonly delivered: Edge[] = [];

  deliver(timeline: Timeline<Edge>, count: number): Timeline<Edge> {
    const arrived = this.undelivered.splice(0, count);
    this.delivered.push(...arrived);
    return arrived.reduce(withArrival<Edge>, timeline);
  }
}

type Step =
  | { do: "say"; place: number }
  | { do: "deliver"; count: number }
  | { do: "ask"; what: "newest" | "older" | "newer"; size: number }
  | { do: "answer" }
  | { do: "leave" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("say"), place: fc.nat(200) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("deliver"), count: fc.nat(4) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("ask"),
      what: fc.constantFrom("newest", "older", "newer"),
      size: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("answer") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave") }) },
) as fc.Arbitrary<Step>;

/** Plays the steps, pages being read when they are asked for and applied later; then the stream catches up. */
function play(before: number[], steps: Step[]): { server: Server; timeline: Timeline<Edge> } {
  const server = new Server();
  let timeline: Timeline<Edge> = EMPTY;
  for (const place of before) server.say(place);
  server.deliver(EMPTY, Number.POSITIVE_INFINITY); // The page's stream begins here.
  const answers: (() => void)[] = [];
  const ask = (page: Page<Edge>) => {
    const deliveredBefore = server.delivered.length;
    answers.push(() => {
      timeline = withPage(timeline, page);
      // As the pager does it: what arrived while the page was on its way comes after it.
      timeline = server.delivered.slice(deliveredBefore).reduce(withArrival<Edge>, timeline);
    });
  };
  for (const next of steps) {
    const segment = viewed(timeline);
    const [oldest, newest] = [segment?.edges[0], segment?.edges.at(-1)];
    if (next.do === "say") server.say(next.place);
    if (next.do === "deliver") timeline = server.deliver(timeline, next.count);
    if (next.do === "leave") timeline = atPresent(timeline);
    if (next.do === "answer") answers.shift()?.();
    if (next.do !== "ask") continue;
    if (next.what === "newest" || !segment) ask(server.newest(next.size));
    else if (next.what === "older" && oldest) ask(server.before(oldest.cursor, next.size));
    else if (next.what === "newer" && newest) ask(server.after(newest.cursor, next.size));
  }
  return { server, timeline: server.deliver(timeline, Number.POSITIVE_INFINITY) };
}

/** Loads pages in both directions until there is nothing more. */
function readAll(server: Server, start: Timeline<Edge>): Timeline<Edge> {
  let timeline = withPage(start, server.newest(3));
  for (let segment = viewed(timeline); segment?.from !== START; segment = viewed(timeline)) {
    timeline = withPage(timeline, server.before(segment?.edges[0]?.cursor ?? END, 3));
  }
  for (let segment = viewed(timeline); segment?.to !== END; segment = viewed(timeline)) {
    timeline = withPage(timeline, server.after(segment?.edges.at(-1)?.cursor ?? START, 3));
  }
  return timeline;
}

const places = fc.uniqueArray(fc.nat(200), { maxLength: 30 });

describe("whatever comes in whatever order", () => {
  test("a segment holds all messages from its beginning to its end, in order and once", () => {
    fc.assert(
      fc.property(places, fc.array(step, { maxLength: 60 }), (before, steps) => {
        const { server, timeline } = play(before, steps);
        for (const { from, to, edges } of timeline.segments) {
          expect(edges).toEqual(
            server.history.filter(({ cursor }) => from <= cursor && cursor <= to),
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("segments are apart, in order, and one is read once a page has come", () => {
    fc.assert(
      fc.property(places, fc.array(step, { maxLength: 60 }), (before, steps) => {
        const { timeline } = play(before, steps);
        timeline.segments.forEach((segment, index) => {
          expect(segment.from <= segment.to).toBe(true);
          const next = timeline.segments[index + 1];
          if (next) expect(segment.to < next.from).toBe(true);
        });
        expect(viewed(timeline) !== undefined).toBe(timeline.at !== null);
      }),
      { numRuns: 1_000 },
    );
  });

  test("reading on in both directions ends with the whole history", () => {
    fc.assert(
      fc.property(places, fc.array(step, { maxLength: 40 }), (before, steps) => {
        const { server, timeline } = play(before, steps);
        expect(viewed(readAll(server, timeline))?.edges).toEqual(server.history);
      }),
      { numRuns: 1_000 },
    );
  });

  test("the order of pages and arrivals makes no difference, nor do repeats", () => {
    const history = Array.from({ length: 20 }, (_, place) => edge(place));
    const newest: Page<Edge> = {
      edges: history.slice(10),
      hasPreviousPage: true,
      hasNextPage: false,
    };
    const apply = [
      (timeline: Timeline<Edge>) => withPage(timeline, newest),
      ...history.slice(12).map((one) => (timeline: Timeline<Edge>) => withArrival(timeline, one)),
    ];
    const orders = fc.array(fc.nat(apply.length - 1)).chain((repeats) =>
      fc.shuffledSubarray([...apply.keys(), ...repeats], {
        minLength: apply.length + repeats.length,
      }),
    );
    fc.assert(
      fc.property(orders, (order) => {
        const timeline = order.reduce<Timeline<Edge>>(
          (now, index) => apply[index]?.(now) ?? now,
          EMPTY,
        );
        const read = withPage(timeline, newest);
        expect(viewed(read)?.edges).toEqual(history.slice(10));
      }),
    );
  });

  test("a page that is read again takes nothing away", () => {
    fc.assert(
      fc.property(places, fc.array(step, { maxLength: 40 }), fc.nat(5), (before, steps, size) => {
        const { server, timeline } = play(before, steps);
        const opened = withPage(timeline, server.newest(5));
        const again = withPage(opened, server.newest(size + 1));
        for (const { cursor } of viewed(opened)?.edges ?? []) {
          expect(viewed(again)?.edges.map((one) => one.cursor)).toContain(cursor);
        }
      }),
    );
  });
});

describe("holes", () => {
  test("a message beyond what is loaded does not show before what is between them is known", () => {
    const newest = { edges: [edge(50), edge(51)], hasPreviousPage: true, hasNextPage: false };
    const timeline = withArrival(withPage(EMPTY, newest), edge(10));
    expect(viewed(timeline)?.edges).toEqual([edge(50), edge(51)]);
    const between = {
      edges: [edge(10), edge(30)],
      hasPreviousPage: true,
      hasNextPage: true,
      before: edge(50).cursor,
    };
    expect(viewed(withPage(timeline, between))?.edges).toEqual([
      edge(10),
      edge(30),
      edge(50),
      edge(51),
    ]);
  });

  test("more messages than are kept of the present may arrive while the last page before it is on its way", () => {
    const server = new Server();
    for (let place = 0; place < WINDOW + 300; place++) server.say(place);
    let timeline = withPage<Edge>(EMPTY, server.newest(100));
    while (viewed(timeline)?.from !== START) {
      timeline = withPage(timeline, server.before(viewed(timeline)?.edges[0]?.cursor ?? "", 100));
    }
    timeline = withPage(timeline, server.after(viewed(timeline)?.edges.at(-1)?.cursor ?? "", 100));
    const last = server.after(viewed(timeline)?.edges.at(-1)?.cursor ?? "", 200);
    for (let more = 0; more < 2 * TAIL; more++) server.say(WINDOW + 300 + more);
    timeline = server.deliver(timeline, 2 * TAIL + WINDOW + 300);
    timeline = withPage(timeline, last);
    for (const { from, to, edges } of timeline.segments) {
      expect(edges).toEqual(server.history.filter(({ cursor }) => from <= cursor && cursor <= to));
    }
  });

  test("an answer for a place that was left meanwhile is dropped", () => {
    const server = new Server();
    for (let place = 0; place < 300; place++) server.say(place);
    let timeline = withPage<Edge>(EMPTY, server.newest(100));
    timeline = withPage(timeline, server.before(edge(200).cursor, 100));
    const late = server.before(edge(100).cursor, 100);
    timeline = atPresent(timeline);
    expect(withPage(timeline, late)).toBe(timeline);
  });
});

describe("cursors that a new life of the store has changed", () => {
  const page = { edges: [edge(1, "b"), edge(2, "b")], hasPreviousPage: false, hasNextPage: false };

  test.each(["a", "c"])("do not make a second message of one that arrives again", (epoch) => {
    const once = withPage<Edge>(EMPTY, page);
    expect(viewed(withArrival(once, edge(2, epoch)))?.edges).toEqual(page.edges);
    expect(viewed(withArrival(once, edge(1, epoch)))?.edges).toEqual(page.edges);
  });

  test.each(["a", "c"])("do not make a second message of one at the seam of two pages", (epoch) => {
    const newest = { edges: [edge(2, "b")], hasPreviousPage: true, hasNextPage: false };
    const before = newest.edges[0]?.cursor ?? "";
    const older = { ...page, edges: [edge(1, epoch), edge(2, epoch)], hasNextPage: true, before };
    const messages = viewed(withPage(withPage<Edge>(EMPTY, newest), older))?.edges;
    expect(messages?.map(({ node }) => node)).toEqual(page.edges.map(({ node }) => node));
  });
});

describe("memory", () => {
  const server = new Server();
  for (let place = 0; place < 6_000; place++) server.say(place);
  const size = (timeline: Timeline<Edge>) =>
    timeline.segments.reduce((sum, { edges }) => sum + edges.length, 0);

  function readBack(to: number): Timeline<Edge> {
    let timeline = withPage<Edge>(EMPTY, server.newest(100));
    while ((viewed(timeline)?.edges[0]?.cursor ?? "") > edge(to).cursor) {
      timeline = withPage(timeline, server.before(viewed(timeline)?.edges[0]?.cursor ?? "", 100));
      expect(size(timeline)).toBeLessThanOrEqual(WINDOW + TAIL);
    }
    return timeline;
  }

  test("a reader far back has a window, and the present is kept beside it", () => {
    let timeline = readBack(0);
    expect(viewed(timeline)?.edges).toEqual(server.history.slice(0, WINDOW));
    timeline = withArrival(timeline, edge(6_000));
    expect(viewed(timeline)?.edges).toHaveLength(WINDOW);
    const present = atPresent(timeline);
    expect(viewed(present)?.edges.at(-1)).toEqual(edge(6_000));
    expect(viewed(present)?.edges).toHaveLength(TAIL);
  });

  test("reading on from far back joins the present again", () => {
    let timeline = readBack(1_000);
    for (let steps = 0; viewed(timeline)?.to !== END; steps++) {
      expect(steps).toBeLessThan(60);
      timeline = withPage(
        timeline,
        server.after(viewed(timeline)?.edges.at(-1)?.cursor ?? "", 100),
      );
      expect(size(timeline)).toBeLessThanOrEqual(WINDOW + TAIL);
    }
    expect(viewed(timeline)?.edges.at(-1)).toEqual(server.history.at(-1));
    expect(timeline.at).toBe(END);
  });

  test("rooms that nobody looks at keep their newest messages only", () => {
    expect(server.history.reduce(withArrival<Edge>, EMPTY)).toBe(EMPTY);
    const open = server.history.reduce(
      withArrival<Edge>,
      withPage(EMPTY, { edges: [], hasPreviousPage: false, hasNextPage: false }),
    );
    expect(size(open)).toBeLessThanOrEqual(2 * WINDOW);
    expect(size(atPresent(open))).toBe(TAIL);
  });
});
