/** A result file of `facetcode run`: its list with filters, and the walk through it. Nothing of it leaves the page. */

import { doubts, readCase } from "./case.js";
import { announce, byId, complain, download, show } from "./dom.js";
import { isUnsaved, toRecord } from "./decisions.js";
import { indexNotes, indexResults } from "./jsonl.js";
import { STATUS } from "./kinds.js";
import { fillChoices, progressOf, recordRow } from "./records.js";

/** @typedef {import("./types.js").Case} Case */
/** @typedef {import("./jsonl.js").Entry} Entry */
/** @typedef {import("./jsonl.js").Index} Index */
/** @typedef {import("./case.js").Notes} Notes */

const PAGE = 50; // rows of the list at a time

export class Batch {
  /** @type {File | null} */ #file = null;
  /** @type {Notes | null} */ #notes = null;
  /** @type {Entry[]} */ #entries = [];
  /** @type {number[]} places in #entries that pass the filter */ #shown = [];
  /** @type {Map<number, Case>} what was decided, by place */ #cases = new Map();
  #page = 0;
  #current = -1;
  #opening = 0;
  #open;

  /** @param {(one: Case | null, warnings: string[]) => void} openCase  shows one record, or takes it off the page */
  constructor(openCase) {
    this.#open = openCase;
    byId("results-file").addEventListener("change", () => this.load(byId("results-file").files[0]));
    byId("notes-file").addEventListener("change", () => this.loadNotes(byId("notes-file").files[0]));
    for (const id of ["filter-status", "filter-code", "filter-query", "filter-id"]) {
      byId(id).addEventListener("input", () => this.filter());
    }
    byId("page-before").addEventListener("click", () => this.#turn(-1));
    byId("page-after").addEventListener("click", () => this.#turn(1));
    byId("record-before").addEventListener("click", () => this.step(-1));
    byId("record-after").addEventListener("click", () => this.step(1));
    byId("queue").addEventListener("click", () => this.queue());
    byId("save-all").addEventListener("click", () => this.#download());
  }

  /** Whether some decision of this file was never saved. */
  get unsaved() {
    return [...this.#cases.values()].some((one) => isUnsaved(one.review));
  }

  /** @param {File | undefined} file */
  async load(file) {
    if (!file) return;
    const state = byId("results-state").textContent;
    complain("");
    try {
      const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
      if (head[0] === 0x1f && head[1] === 0x8b) return complain("This file is compressed. Unpack it first.");
      const index = await indexResults(file, progressOf("results-state", "Reading"));
      // Asked now and not before: decisions may have been made while the file was read.
      if (this.unsaved && !confirm("Decisions on the open file are not downloaded. Open another file?")) {
        byId("results-state").textContent = state;
        return;
      }
      this.#take(file, index);
    } catch {
      byId("results-state").textContent = state;
      return complain("This file could not be read. Was it changed or taken away?");
    }
    if (this.#shown.length) await this.open(this.#shown[0]);
  }

  /** A new file takes the place of the open one. @param {File} file @param {Index} index */
  #take(file, { entries, other, broken }) {
    this.#file = file;
    this.#entries = entries;
    this.#cases.clear();
    this.#current = -1;
    this.#open(null, []);
    const rest = [other && `${other} lines are no result`, broken && `${broken} lines are no JSON`].filter(Boolean);
    byId("results-state").textContent = [`${entries.length} results`, ...rest].join("; ");
    if (!entries.length) complain("No result is in this file. It has to be the JSONL of facetcode run.");
    fillChoices("filter-code", entries, (entry) => entry.codes);
    fillChoices("filter-query", entries, (entry) => entry.queries);
    fillChoices(
      "filter-status",
      entries,
      (entry) => [entry.status],
      (status) => STATUS[status]?.[0] ?? status,
    );
    byId("batch").hidden = !entries.length;
    this.filter();
    announce(byId("results-state").textContent ?? "");
  }

  /** @param {File | undefined} file */
  async loadNotes(file) {
    if (!file) return;
    const state = byId("notes-state").textContent;
    complain("");
    try {
      this.#notes = { file, places: await indexNotes(file, progressOf("notes-state", "Reading")) };
      for (const [place, one] of this.#cases) await this.#addNote(place, one);
    } catch {
      byId("notes-state").textContent = state;
      return complain("The notes could not be read. Was their file changed or taken away?");
    }
    const { size } = this.#notes.places;
    byId("notes-state").textContent = `${size} notes`;
    if (this.#current >= 0) await this.open(this.#current);
    if (!size) complain("No note is in this file. Each line has to be an object with id and text.");
  }

  /**
   * Gives a case its note, unless it was decided with one; what was decided stays.
   * @param {number} place @param {Case} one
   */
  async #addNote(place, one) {
    const { review } = one;
    if (!this.#file || (one.text !== null && (review.done || isUnsaved(review)))) return;
    const found = await readCase(this.#file, this.#entries[place], this.#notes);
    if (found) Object.assign(one, found, { review });
  }

  /** Shows the records that the filters let through. */
  filter() {
    const [status, code, query] = ["status", "code", "query"].map((name) => byId(`filter-${name}`).value);
    const part = byId("filter-id").value.trim().toLowerCase();
    this.#shown = [];
    this.#entries.forEach((entry, place) => {
      if (status && entry.status !== status) return;
      if (code && !entry.codes.includes(code)) return;
      if (query && !entry.queries.includes(query)) return;
      if (part && !entry.id.toLowerCase().includes(part)) return;
      this.#shown.push(place);
    });
    this.#page = 0;
    this.refresh();
  }

  /** The review queue: what a person has to answer, from its first record that is not decided. */
  async queue() {
    byId("filter-status").value = "review";
    for (const name of ["code", "query", "id"]) byId(`filter-${name}`).value = "";
    this.filter();
    const next = this.#shown.find((place) => !this.#done(place));
    if (next === undefined) announce("No record is left to review");
    else await this.open(next);
  }

  /** To the next or the last record of the list. @param {number} by */
  async step(by) {
    const at = this.#shown.indexOf(this.#current);
    const next = this.#shown[at < 0 ? 0 : at + by];
    if (next === undefined) announce(by > 0 ? "This was the last record" : "This was the first record");
    else await this.open(next);
  }

  /** Shows the current record again: this view was left and entered anew. */
  async reopen() {
    if (this.#current >= 0) await this.open(this.#current);
  }

  /** @param {number} place */
  async open(place) {
    this.#opening += 1;
    const mine = this.#opening;
    const one = await this.#case(place).catch(() => null);
    if (mine !== this.#opening) return; // another one was asked for meanwhile
    const left = this.#cases.get(this.#current);
    if (left && left !== one && !isUnsaved(left.review) && !left.review.done) this.#cases.delete(this.#current);
    this.#current = place;
    const row = this.#shown.indexOf(place);
    if (row >= 0) this.#page = Math.floor(row / PAGE);
    this.refresh();
    complain("");
    try {
      this.#open(one, one ? doubts(one) : []);
      if (!one) complain("This record can no longer be read. Was the file changed?");
    } catch {
      this.#open(null, []);
      complain("This record cannot be shown: something in it is not as facetcode writes it.");
    }
  }

  /** @param {number} place @returns {Promise<Case | null>} */
  async #case(place) {
    const file = this.#file;
    const known = this.#cases.get(place);
    if (known || !file) return known ?? null;
    const one = await readCase(file, this.#entries[place], this.#notes);
    if (!one || file !== this.#file) return null;
    const twice = this.#cases.get(place); // asked for twice: the first one may have decisions already
    this.#cases.set(place, twice ?? one);
    return twice ?? one;
  }

  /** @param {number} place */
  #done(place) {
    return this.#cases.get(place)?.review.done ?? false;
  }

  /** @param {number} by */
  #turn(by) {
    this.#page += by;
    this.refresh();
  }

  /** Draws the list anew: another page, another current record, another decision. */
  refresh() {
    const pages = Math.max(Math.ceil(this.#shown.length / PAGE), 1);
    this.#page = Math.min(Math.max(this.#page, 0), pages - 1);
    const from = this.#page * PAGE;
    const inList = byId("records").contains(document.activeElement);
    show(byId("records"), ...this.#shown.slice(from, from + PAGE).map((place) => this.#row(place)));
    if (inList) byId("records").querySelector(".current button")?.focus();
    byId("shown").textContent = `${this.#shown.length} of ${this.#entries.length}`;
    byId("page-number").textContent = `Page ${this.#page + 1} of ${pages}`;
    byId("page-before").disabled = this.#page === 0;
    byId("page-after").disabled = this.#page === pages - 1;
    const at = this.#shown.indexOf(this.#current);
    byId("position").textContent = at < 0 ? "" : `Record ${at + 1} of ${this.#shown.length}`;
    byId("record-before").disabled = at <= 0;
    byId("record-after").disabled = at === this.#shown.length - 1;
    const done = this.#entries.filter((_, place) => this.#done(place)).length;
    byId("save-all").textContent = `Download decisions (${done})`;
    byId("save-all").disabled = !done;
  }

  /** @param {number} place */
  #row(place) {
    return recordRow(this.#entries[place], place === this.#current, this.#done(place), () => void this.open(place));
  }

  #download() {
    const done = [...this.#cases].filter(([place]) => this.#done(place)).sort(([a], [b]) => a - b);
    const reviewer = byId("reviewer").value;
    const lines = done.map(([, one]) => JSON.stringify(toRecord(one, reviewer)));
    download("decisions.jsonl", `${lines.join("\n")}\n`, "application/jsonl");
    for (const [, one] of done) one.review.kept = true;
    announce(`${done.length} decisions downloaded`);
  }
}
