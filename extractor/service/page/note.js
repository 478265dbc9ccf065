/**
 * The note with its evidence marked. The text on the page is the text of the note, unit for unit: names of kinds and of
 * hidden characters are drawn by the style sheet. Everything is a text node.
 */

import { el } from "./dom.js";
import { appendText } from "./hidden.js";
import { blockEnds, cut, spansOf } from "./segments.js";
import { ASSERTIONS, describe, kindName } from "./kinds.js";

/** @typedef {import("./types.js").Result} Result */
/** @typedef {import("./types.js").Segment} Segment */
/** @typedef {import("./light.js").Lights} Lights */

const BLOCK = 8_000; // characters laid out at a time
const AT_ONCE = 2_000; // marks drawn before the first paint; the rest follows in slices, so that nothing freezes

/** Counts what was asked for, so that an older drawing stops when a newer one has begun. */
let drawing = 0;

/**
 * Draws the note into `home`. Resolves when the last block is there (`aria-busy` is gone then).
 * @param {HTMLElement} home @param {string} text @param {Result} result @param {Lights} lights @returns {Promise<void>}
 */
export async function drawNote(home, text, result, lights) {
  drawing += 1;
  const mine = drawing;
  home.replaceChildren();
  home.setAttribute("aria-busy", "true");
  const segments = cut(text.length, spansOf(result));
  const pen = new Pen(text, segments, result, lights);
  let marks = 0;
  for (const end of blockEnds(text, BLOCK)) {
    if (marks >= AT_ONCE) {
      await new Promise((resolve) => setTimeout(resolve));
      if (mine !== drawing) return;
      marks = 0;
    }
    const block = el("div", { class: "block" });
    marks += 1 + pen.draw(block, end); // a block without marks costs something too
    home.append(block);
  }
  home.removeAttribute("aria-busy");
}

/** Goes once through the text and its segments, block by block. */
class Pen {
  #at = 0;
  #next = 0;
  #first = true;

  /** @param {string} text @param {Segment[]} segments @param {Result} result @param {Lights} lights */
  constructor(text, segments, result, lights) {
    this.text = text;
    this.segments = segments;
    this.result = result;
    this.lights = lights;
  }

  /**
   * Draws up to `end`; how many elements that took.
   * @param {HTMLElement} block @param {number} end @returns {number}
   */
  draw(block, end) {
    let count = 0;
    while (this.#at < end) {
      const segment = this.segments[this.#next];
      if (!segment || segment.start >= end) {
        count += appendText(block, this.text.slice(this.#at, end));
        this.#at = end;
      } else if (segment.start > this.#at) {
        count += appendText(block, this.text.slice(this.#at, segment.start));
        this.#at = segment.start;
      } else {
        const stop = Math.min(segment.end, end);
        const mark = this.#mark(segment, stop);
        count += 1 + appendText(mark, this.text.slice(this.#at, stop));
        block.append(mark);
        this.#at = stop;
        if (stop === segment.end) this.#next += 1;
      }
    }
    return count;
  }

  /** @param {Segment} segment @param {number} stop @returns {HTMLElement} */
  #mark({ owners }, stop) {
    const indexes = owners.filter((owner) => owner[0] === "e").map((owner) => Number(owner.slice(1)));
    const entities = indexes.map((index) => this.result.entities[index]);
    // Of several kinds on one word the shortest span is the closest reading; it gives the colour.
    const closest = entities.reduce((a, b) => (a && a.end - a.start <= b.end - b.start ? a : b), entities[0]);
    const classes = ["seg"];
    if (owners.some((owner) => owner[0] === "l")) classes.push("for-line");
    if (owners.some((owner) => owner[0] === "q")) classes.push("for-query");
    /** @type {Record<string, string | number>} */
    const props = { "data-at": this.#at, "data-owners": owners.join(" "), tabindex: this.#first ? 0 : -1 };
    if (closest) {
      props["data-kind"] = closest.label;
      if (stop === closest.end) props["data-name"] = kindName(closest.label);
      const told = ASSERTIONS[closest.assertion];
      if (told) {
        classes.push("not-done", `as-${told}`);
        if (stop === closest.end) props["data-told"] = told;
      }
    }
    this.#first = false;
    const mark = el("mark", { class: classes.join(" "), ...props });
    for (const owner of owners) this.lights.addWords(owner, mark);
    return mark;
  }
}

/**
 * What a stretch of the note is, in words: for the line above the note and for screen readers.
 * @param {string[]} owners @param {Result} result @returns {string}
 */
export function explain(owners, result) {
  /** @type {string[]} */
  const read = [];
  const codes = new Set();
  const queries = new Set();
  for (const owner of owners) {
    const index = Number(owner.slice(1));
    if (owner[0] === "e") read.push(describe(result.entities[index]));
    if (owner[0] === "l") codes.add(result.lines[index].code);
    if (owner[0] === "q") queries.add(result.queries[index].id);
  }
  if (codes.size) read.push(`evidence of ${[...codes].join(", ")}`);
  if (queries.size) read.push(`asked about: ${[...queries].join(", ")}`);
  return read.join("; ");
}

/**
 * Makes the marks of the note answer to pointer and keys: arrows go from mark to mark, Enter or a click to the line.
 * @param {HTMLElement} home @param {Lights} lights
 * @param {{point: (owners: string[]) => void, open: (owners: string[]) => void}} then
 */
export function listen(home, lights, then) {
  /** @param {Event} event @returns {HTMLElement | null} */
  const markOf = (event) => (event.target instanceof Element ? event.target.closest("mark") : null);
  /** @param {Event} event */
  const point = (event) => {
    const mark = markOf(event);
    if (!mark) return lights.clear();
    lights.fromWords(mark, ownersOf(mark));
    then.point(ownersOf(mark));
  };
  home.addEventListener("pointerover", point);
  home.addEventListener("pointerleave", () => lights.clear());
  home.addEventListener("focusin", point);
  home.addEventListener("focusout", () => lights.clear());
  home.addEventListener("click", (event) => {
    const mark = markOf(event);
    if (mark && getSelection()?.isCollapsed !== false) then.open(ownersOf(mark));
  });
  home.addEventListener("keydown", (event) => {
    const mark = markOf(event);
    if (!mark || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter") {
      event.preventDefault(); // else the button that gets the focus is pressed at once
      then.open(ownersOf(mark));
    }
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step) return;
    const marks = [...home.querySelectorAll("mark")];
    const place = Math.min(Math.max(marks.indexOf(mark) + step, 0), marks.length - 1);
    event.preventDefault();
    goTo(marks[place]);
  });
}

/** Scrolls to a mark and focuses it; it becomes the one that Tab reaches. @param {HTMLElement} mark */
export function goTo(mark) {
  mark.closest(".note")?.querySelector('mark[tabindex="0"]')?.setAttribute("tabindex", "-1");
  mark.setAttribute("tabindex", "0");
  mark.scrollIntoView({ block: "center" });
  mark.focus({ preventScroll: true });
}

/** @param {HTMLElement} mark @returns {string[]} */
function ownersOf(mark) {
  return (mark.dataset.owners ?? "").split(" ");
}
