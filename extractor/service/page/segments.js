/** Cutting a note: overlapping evidence shares its pieces, and a long note comes in blocks. */

/** @typedef {import("./types.js").Span} Span */
/** @typedef {import("./types.js").Segment} Segment */
/** @typedef {import("./types.js").Result} Result */

const MOST_OWNERS = 32; // of one piece: a file with thousands of spans on one place must not take quadratic time

/**
 * Every span of a result that the page marks.
 * @param {Result} result @returns {Span[]}
 */
export function spansOf(result) {
  /** @type {Span[]} */
  const spans = [];
  /** @param {string} owner @param {{start: number, end: number}[]} evidence */
  const add = (owner, evidence) => {
    for (const { start, end } of evidence) spans.push({ start, end, owner });
  };
  result.lines.forEach((line, i) => add(`l${i}`, line.evidence));
  result.queries.forEach((query, i) => add(`q${i}`, query.evidence));
  result.entities.forEach((entity, i) => add(`e${i}`, [entity]));
  result.procedures.forEach((procedure, i) => {
    procedure.nerves.forEach((site, n) => add(`p${i}n${n}`, site.evidence));
    procedure.joints.forEach((site, n) => add(`p${i}j${n}`, site.evidence));
  });
  return spans;
}

/**
 * The marked pieces of a text of `length` units, in order: cut at every border of a span, each with its owners.
 * Spans that are empty or lie outside the text are left out. Time: n log n for n spans.
 * @param {number} length @param {Span[]} spans @returns {Segment[]}
 */
export function cut(length, spans) {
  const events = [];
  for (const { start, end, owner } of spans) {
    if (!(start >= 0 && start < end && end <= length)) continue;
    events.push({ at: start, step: 1, owner }, { at: end, step: -1, owner });
  }
  events.sort((a, b) => a.at - b.at);
  /** @type {Map<string, number>} */
  const open = new Map(); // how many spans of each owner cover this place
  /** @type {Segment[]} */
  const segments = [];
  let last = 0;
  for (const { at, step, owner } of events) {
    if (at > last && open.size) segments.push({ start: last, end: at, owners: first(open.keys(), MOST_OWNERS) });
    last = at;
    const depth = (open.get(owner) ?? 0) + step;
    if (depth) open.set(owner, depth);
    else open.delete(owner);
  }
  return segments;
}

/** @param {Iterable<string>} names @param {number} most @returns {string[]} */
function first(names, most) {
  const taken = [];
  for (const name of names) {
    if (taken.length === most) break;
    taken.push(name);
  }
  return taken;
}

/**
 * Where the blocks of a text end: at a line end where there is one, and at most `size` units long. The browser lays out
 * only the blocks in view.
 * @param {string} text @param {number} size @returns {number[]}
 */
export function blockEnds(text, size) {
  const ends = [];
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + size, text.length);
    if (end < text.length) {
      const line = text.lastIndexOf("\n", end - 1);
      if (line >= start) end = line + 1;
      else if ((text.charCodeAt(end) & 0xfc00) === 0xdc00) end -= 1; // not through a pair
    }
    ends.push(end);
    start = end;
  }
  return ends;
}
