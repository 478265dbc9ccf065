/** The rest of a result: status, claim, what was used, neighbours not given, warnings, versions. */

import { el, show } from "./dom.js";
import { STATUS, words } from "./kinds.js";

/** @typedef {import("./types.js").Result} Result */

/** @param {Element} home @param {Result} result @param {string} id */
export function drawStatus(home, result, id) {
  const [name, meaning] = STATUS[result.status] ?? [result.status, ""];
  show(
    home,
    el("span", { class: `status ${result.status}` }, name),
    el("span", { class: "record-id" }, id),
    el("span", { class: "meaning" }, meaning),
  );
}

/** @param {Element} home @param {Result} result */
export function drawClaim(home, result) {
  const rows = result.claim.map(({ code, modifiers, units }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, code),
      el("td", {}, modifiers.join(", ") || "none"),
      el("td", { class: "number" }, String(units)),
    ),
  );
  const heads = ["Code", "Modifiers", "Units"].map((name) => el("th", { scope: "col" }, name));
  const caption = el("caption", {}, `Profile ${result.versions.profile}`);
  const table = el(
    "table",
    { class: "claim" },
    caption,
    el("thead", {}, el("tr", {}, ...heads)),
    el("tbody", {}, ...rows),
  );
  const considered = result.claim.flatMap(({ code, suggested = [] }) =>
    suggested.map(({ modifier, reason }) => el("li", {}, `Consider ${modifier} on ${code}: ${reason}`)),
  );
  show(
    home,
    rows.length ? table : el("p", { class: "none" }, "Nothing to claim."),
    ...(considered.length ? [el("ul", { class: "reasons suggested" }, ...considered)] : []),
  );
}

/** @param {Element} home @param {Result} result */
export function drawSummary(home, result) {
  const { imaging, injectate, target } = result.summary;
  const techniques = [
    ...new Set(result.procedures.map((p) => words(p.technique) + (p.discontinued ? " (stopped)" : ""))),
  ];
  /** @type {[string, string[]][]} */
  const facts = [
    ["Technique", techniques],
    ["Target", target.map(words)],
    ["Imaging", imaging.map(words)],
    ["Injected", injectate],
  ];
  const told = facts.filter(([, values]) => values.length);
  show(home, ...told.flatMap(([name, values]) => [el("dt", {}, name), el("dd", {}, values.join(", "))]));
}

/** @param {Element} home @param {Result} result */
export function drawRejected(home, result) {
  const items = result.rejected.flatMap(({ code, reason }) => [el("dt", {}, code), el("dd", {}, reason)]);
  show(home, ...items);
}

/** @param {Element} home @param {string[]} warnings */
export function drawWarnings(home, warnings) {
  show(home, ...warnings.map((warning) => el("li", {}, warning)));
}

/** @param {Element} home @param {Result} result */
export function drawVersions(home, { versions }) {
  const { engine, patterns, codes, profile } = versions;
  show(home, `Coded with facetcode ${engine}, patterns ${patterns}, codes ${codes}, profile ${profile}.`);
}
