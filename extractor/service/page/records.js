/** The list of a result file: its rows, and the choices of its filters. */

import { byId, el, show } from "./dom.js";
import { STATUS } from "./kinds.js";

/** @typedef {import("./jsonl.js").Entry} Entry */

/** @param {Entry} entry @param {boolean} current @param {boolean} done @param {() => void} open */
export function recordRow(entry, current, done, open) {
  return el(
    "tr",
    { "aria-current": current ? "true" : null, class: current ? "current" : null },
    el("th", { scope: "row" }, el("button", { type: "button", class: "record", click: open }, entry.id || "(no id)")),
    el("td", {}, el("span", { class: `status ${entry.status}` }, STATUS[entry.status]?.[0] ?? entry.status)),
    el("td", {}, entry.codes.join(" ")),
    el("td", {}, entry.queries.join(" ")),
    el("td", {}, done ? "\u2713 reviewed" : ""),
  );
}

/**
 * Fills a filter with the values there are, and how many records have each.
 * @param {string} id @param {Entry[]} entries @param {(entry: Entry) => string[]} valuesOf
 * @param {(value: string) => string} [name]
 */
export function fillChoices(id, entries, valuesOf, name = (value) => value) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const entry of entries) for (const value of valuesOf(entry)) counts.set(value, (counts.get(value) ?? 0) + 1);
  const options = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([value, n]) => el("option", { value }, `${name(value)} (${n})`));
  show(byId(id), el("option", { value: "" }, "any"), ...options);
}

/** Tells how far a file is read. @param {string} id @param {string} what @returns {(done: number) => void} */
export function progressOf(id, what) {
  return (done) => (byId(id).textContent = `${what} ${Math.round(done * 100)} %`);
}
