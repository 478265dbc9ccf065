/** Whether a value read from a file has the shape of a result: everything that the page draws of it (types.js). */

/** @typedef {import("./types.js").Result} Result */
/** @typedef {(value: any) => boolean} Check */

const SIDES = ["left", "right", "bilateral", "unspecified"];
const STATUSES = ["coded", "review", "no_code"];

/** @type {Check} */
const string = (value) => typeof value === "string";
/** @type {Check} */
const number = (value) => typeof value === "number";
/** @type {Check} */
const side = (value) => SIDES.includes(value);

/** @param {Check} item @returns {Check} */
const list = (item) => (value) => Array.isArray(value) && value.every(item);

/** @param {Record<string, Check>} fields @returns {Check} further fields are left alone */
function record(fields) {
  const checks = Object.entries(fields);
  return (value) => value !== null && typeof value === "object" && checks.every(([name, check]) => check(value[name]));
}

/** @param {Check} check @returns {Check} for fields that results of older versions do not have */
const optional = (check) => (value) => value === undefined || check(value);

const strings = list(string);
const evidence = list(record({ start: number, end: number, text: string, section: string }));
const sites = list(record({ site: string, side, evidence }));

const line = record({
  code: string,
  side,
  joints: strings,
  label: string,
  descriptor: optional(string),
  rule: string,
  reasons: strings,
  evidence,
});
const suggestions = list(record({ modifier: string, reason: string }));
const entity = record({
  label: string,
  start: number,
  end: number,
  text: string,
  value: string,
  section: string,
  assertion: string,
  attributes: (value) => value !== null && typeof value === "object" && Object.values(value).every(string),
});
const result = record({
  id: string,
  status: (value) => STATUSES.includes(value),
  lines: list(line),
  claim: list(record({ code: string, modifiers: strings, units: number, suggested: optional(suggestions) })),
  summary: record({ imaging: strings, injectate: strings, target: strings }),
  queries: list(record({ id: string, question: string, evidence })),
  warnings: strings,
  rejected: list(record({ code: string, reason: string })),
  procedures: list(record({ family: string, technique: string, side, joints: sites, nerves: sites })),
  entities: list(entity),
  versions: record({ engine: string, patterns: string, codes: string, profile: string }),
});

/** @param {any} value @returns {value is Result} */
export function isResult(value) {
  return result(value);
}
