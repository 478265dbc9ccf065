/** Counting characters: files count Unicode code points, strings here count UTF-16 code units. */

/** @typedef {import("./types.js").Result} Result */

const LONE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;
const ANY_SURROGATE = /[\uD800-\uDFFF]/;

/**
 * The text with every half of a surrogate pair that stands alone replaced by U+FFFD. Such a half is no character and
 * cannot be sent as UTF-8. No offset changes.
 * @param {string} text @returns {string}
 */
export function wellFormed(text) {
  return text.replace(LONE, "\uFFFD");
}

/** Length in code points. @param {string} text @returns {number} */
export function codePoints(text) {
  let pairs = 0;
  if (ANY_SURROGATE.test(text)) for (let i = 1; i < text.length; i += 1) if (isPair(text, i)) pairs += 1;
  return text.length - pairs;
}

/** True where the unit at `index` is the second half of a pair. @param {string} text @param {number} index */
export function isPair(text, index) {
  return (text.charCodeAt(index) & 0xfc00) === 0xdc00 && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800;
}

/**
 * The result with its offsets turned from code points into UTF-16 code units of `text`, in one pass over both.
 * @param {Result} result @param {string} text @returns {Result}
 */
export function toUtf16(result, text) {
  if (!ANY_SURROGATE.test(text)) return result;
  /** @type {Set<number>} */
  const wanted = new Set();
  mapSpans(result, (offset) => (wanted.add(offset), offset));
  /** @type {Map<number, number>} */
  const units = new Map();
  let unit = 0;
  let point = 0;
  for (const offset of [...wanted].sort((a, b) => a - b)) {
    for (; point < offset && unit < text.length; point += 1) unit += isPair(text, unit + 1) ? 2 : 1;
    units.set(offset, point === offset ? unit : Infinity); // behind the end: no place, so that nothing is marked
  }
  return mapSpans(result, (offset) => units.get(offset) ?? Infinity);
}

/**
 * A copy with `move` applied to the start and end of every span in it.
 * @template T
 * @param {T} value @param {(offset: number) => number} move @returns {T}
 */
function mapSpans(value, move) {
  if (Array.isArray(value)) return /** @type {any} */ (value.map((item) => mapSpans(item, move)));
  if (value === null || typeof value !== "object") return value;
  /** @type {any} */
  const copy = {};
  for (const [key, inner] of Object.entries(value)) {
    const offset = (key === "start" || key === "end") && typeof inner === "number";
    copy[key] = offset ? move(inner) : mapSpans(inner, move);
  }
  return copy;
}

/** @param {Result} result */
const quotes = (result) => [
  ...[...result.lines, ...result.queries, ...(result.supplies ?? [])].flatMap((item) => item.evidence),
  ...result.entities,
];

/**
 * How many quotes of the result are not the words at their offsets: the text is of another note, or was changed.
 * @param {Result} result @param {string} text @returns {number}
 */
export function misfits(result, text) {
  return quotes(result).filter((e) => text.slice(e.start, e.end) !== e.text).length;
}

/** Whether the result quotes any words at all: without them `misfits` finds none in any text. @param {Result} result */
export function hasQuotes(result) {
  return quotes(result).some((e) => e.text.trim());
}
