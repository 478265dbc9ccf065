/** The legend above the note: what the marks mean, and which are shown. */

import { byId, el, show } from "./dom.js";
import { KINDS } from "./kinds.js";

/** @typedef {import("./types.js").Result} Result */

/** @param {HTMLElement} note @param {Result} result */
export function drawLegend(note, result) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const entity of result.entities) counts.set(entity.label, (counts.get(entity.label) ?? 0) + 1);
  const buttons = KINDS.filter(([kind]) => counts.has(kind)).map(([kind, name]) =>
    el(
      "button",
      {
        type: "button",
        class: "kind",
        "data-kind": kind,
        "aria-pressed": String(!note.classList.contains(`hide-${kind}`)),
        click: toggle,
      },
      el("span", { class: "sample" }, name),
      ` ${counts.get(kind)}`,
    ),
  );
  /** @param {{currentTarget: HTMLElement}} event */
  function toggle({ currentTarget }) {
    const hidden = note.classList.toggle(`hide-${currentTarget.dataset.kind}`);
    currentTarget.setAttribute("aria-pressed", String(!hidden));
  }
  show(byId("kinds"), ...buttons);
}

/** Connects the two switches of the legend. @param {HTMLElement} note */
export function listenToLegend(note) {
  byId("names-on").addEventListener("change", () => note.classList.toggle("named", byId("names-on").checked));
}
