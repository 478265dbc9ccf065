/** One note under review on the page: everything that is drawn of it, and what the reviewer does to it. */

import { announce, byId, download, show } from "./dom.js";
import { choiceForm, press } from "./choice-form.js";
import { choiceOf, isUnsaved, lack, open, toRecord } from "./decisions.js";
import { drawClaim, drawRejected, drawStatus, drawSummary, drawSupplies, drawVersions, drawWarnings } from "./facts.js";
import { drawLegend, listenToLegend } from "./legend.js";
import { Lights } from "./light.js";
import { addLine, drawAdded, drawLines } from "./lines.js";
import { drawNote, explain, goTo, listen } from "./note.js";
import { drawQueries } from "./queries.js";
import { drawSpine } from "./spine.js";

/** @typedef {import("./types.js").Case} Case */
/** @typedef {import("./types.js").Verdict} Verdict */

export class Workspace {
  /** @type {Case | null} */ one = null;
  #lights = new Lights();
  #note = byId("note");
  #around;
  #changed;

  /** @param {() => void} changed  called after every decision */
  constructor(changed) {
    this.#changed = changed;
    this.#around = { lights: this.#lights, openWords: this.#openWords.bind(this), changed: () => this.#edited() };
    listenToLegend(this.#note);
    listen(this.#note, this.#lights, {
      point: (owners) => this.one && show(byId("inspector"), explain(owners, this.one.result)),
      open: (owners) => this.#openThing(owners),
    });
    byId("accept-all").addEventListener("click", () => this.acceptAll());
    byId("unsettled").addEventListener("change", () => {
      if (!this.one) return;
      this.one.review.unsettled = byId("unsettled").checked;
      this.#edited();
    });
    byId("add-line").addEventListener(
      "click",
      () => this.one && addLine(byId("added"), this.one, this.#around.changed),
    );
  }

  /**
   * Shows a note with its result. Measures the time to the paint after this, as "facetcode:paint", from the mark
   * "facetcode:answer" if an answer of the service was just marked.
   * @param {Case} one @param {string[]} [warnings] of the page itself
   */
  show(one, warnings = []) {
    this.one = one;
    this.#lights.reset();
    const { result, text } = one;
    byId("workspace").hidden = false;
    drawStatus(byId("result-head"), result, one.id);
    drawWarnings(byId("warnings"), [...warnings, ...result.warnings]);
    drawLines(byId("lines"), one, this.#around);
    drawAdded(byId("added"), one, this.#around.changed);
    drawQueries(byId("queries"), one, this.#around);
    drawClaim(byId("claim"), result);
    drawSupplies(byId("supplies"), result);
    drawSummary(byId("summary"), result);
    drawRejected(byId("rejected"), result);
    drawVersions(byId("versions"), result);
    byId("spine-part").hidden = !drawSpine(byId("spine"), result, this.#around);
    for (const [part, list] of [
      ["queries", result.queries],
      ["rejected", result.rejected],
      ["summary", result.procedures],
    ]) {
      byId(`${part}-part`).hidden = !list.length;
    }
    byId("warnings").hidden = !byId("warnings").children.length;
    byId("workspace").classList.toggle("textless", text === null);
    byId("note-part").hidden = text === null;
    show(byId("inspector"), "Point at a mark to read what it is.");
    if (text !== null) {
      drawLegend(this.#note, result);
      void drawNote(this.#note, text, result, this.#lights);
    }
    this.refresh();
    measurePaint();
  }

  /** Takes the note off the page. */
  hide() {
    this.one = null;
    byId("workspace").hidden = true;
  }

  /** Whether the review is complete; what is missing is told, and the first line it is missing of gets the focus. */
  isComplete() {
    const missing = this.one ? open(this.one) : [];
    byId("missing").textContent = missing.length ? `Not yet: ${missing.join(" ")}` : "";
    if (!missing.length) return true;
    const choices = this.one?.review.choices ?? [];
    const index = choices.findIndex((choice, i) => !choice || lack(choice, this.one?.result.lines[i]));
    const card = index < 0 ? byId("added") : this.#card(index);
    (card.querySelector(".choice input") ?? card.querySelector(".code"))?.focus();
    return false;
  }

  /** Accepts every line that is not decided. */
  acceptAll() {
    this.one?.result.lines.forEach((_, index) => {
      if (!this.one?.review.choices[index]) this.#decide(index, "accepted");
    });
  }

  /** Decides on the line that has the focus, else on the first that is not decided. @param {Verdict} verdict */
  decideHere(verdict) {
    const index = this.#here();
    if (index < 0) return;
    this.#decide(index, verdict);
    const card = this.#card(index);
    /** @type {HTMLElement | null} */ (
      card?.querySelector(verdict === "accepted" ? ".code" : ".choice input")
    )?.focus();
  }

  /** To the next or last line. @param {number} by */
  stepLine(by) {
    const cards = [...byId("lines").querySelectorAll(".line")];
    const at = cards.findIndex((card) => card.contains(document.activeElement));
    const next = cards[at < 0 ? 0 : Math.min(Math.max(at + by, 0), cards.length - 1)];
    next?.querySelector(".code").focus();
  }

  /** @param {number} index @param {Verdict} verdict */
  #decide(index, verdict) {
    const { one } = this;
    const form = this.#card(index)?.querySelector(".choice");
    if (!one || !form) return;
    one.review.choices[index] = {
      ...choiceOf(one.result.lines[index], verdict),
      reason: one.review.choices[index]?.reason ?? "",
    };
    choiceForm(form, one, index, this.#around.changed);
    this.#around.changed();
  }

  #here() {
    const focused = document.activeElement?.closest(".line[data-index]")?.getAttribute("data-index");
    return focused ? Number(focused) : (this.one?.review.choices.findIndex((choice) => !choice) ?? -1);
  }

  /** @param {number} index @returns {any} */
  #card(index) {
    return byId("lines").querySelector(`[data-index="${index}"]`);
  }

  #edited() {
    if (this.one) Object.assign(this.one.review, { done: false, kept: false });
    this.refresh();
  }

  /** Shows how far the review is. */
  refresh() {
    const { one } = this;
    if (!one) return;
    one.review.choices.forEach((choice, index) => press(this.#card(index), choice));
    const total = one.result.lines.length;
    const done = one.review.choices.filter(Boolean).length;
    const { done: finished, kept } = one.review;
    const state = kept ? "Saved." : finished ? "Finished." : isUnsaved(one.review) ? "Not saved." : "";
    byId("progress").textContent = [total ? `${done} of ${total} lines decided.` : "", state].join(" ");
    byId("unsettled").checked = one.review.unsettled;
    byId("accept-all").disabled = done === total;
    byId("claim-note").hidden =
      !one.review.added.length && one.review.choices.every((c) => !c || c.decision === "accepted");
    byId("missing").textContent = "";
    this.#changed();
  }

  /**
   * From a line, question or shape to its words: those at `start`, or the first.
   * @param {string} owner @param {number} [start]
   */
  #openWords(owner, start) {
    const at = start === undefined ? null : this.#note.querySelector(`mark[data-at="${start}"]`);
    const mark = at ?? this.#lights.firstWords(owner);
    if (!mark || byId("note-part").hidden) return announce("No words of the note are shown for this");
    goTo(mark);
  }

  /** From words to the line they support, else to the question or shape. @param {string[]} owners */
  #openThing(owners) {
    const thing = this.#lights.firstThing(owners);
    if (!thing) return announce("No line uses these words");
    thing.scrollIntoView({ block: "nearest" });
    /** @type {HTMLElement} */ (thing.querySelector("button") ?? thing).focus({ preventScroll: true });
  }
}

/** Offers the decisions on one note as a file. @param {Case} one @param {string} reviewer */
export function downloadCase(one, reviewer) {
  const name = one.id.replace(/[^\w.-]+/g, "_").slice(0, 80) || "note";
  download(`${name}.decisions.json`, `${JSON.stringify(toRecord(one, reviewer), null, 2)}\n`, "application/json");
}

/** Two frames later the browser has painted what was drawn before the first. */
function measurePaint() {
  if (!performance.getEntriesByName("facetcode:answer").length) performance.mark("facetcode:answer");
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      if (!performance.getEntriesByName("facetcode:answer").length) return;
      performance.measure("facetcode:paint", "facetcode:answer");
      performance.clearMarks("facetcode:answer");
    }),
  );
}
