/** The proposed lines, each with its reasons, its words and the reviewer's decision. */

import { el, show } from "./dom.js";
import { emptyLine } from "./decisions.js";
import { LINE_COLOURS } from "./light.js";
import { choiceForm, verdictButtons } from "./choice-form.js";

/** @typedef {import("./types.js").Case} Case */
/** @typedef {import("./types.js").CodeLine} CodeLine */
/** @typedef {import("./types.js").Evidence} Evidence */
/** @typedef {import("./light.js").Lights} Lights */

/**
 * @typedef {{lights: Lights, openWords: (owner: string, start?: number) => void, changed: () => void}} Around
 *   what a line needs of the page around it
 */

/** @param {Element} home @param {Case} one @param {Around} around */
export function drawLines(home, one, around) {
  const cards = one.result.lines.map((line, index) => card(line, index, one, around));
  if (!cards.length) cards.push(el("li", { class: "none" }, "No line is proposed."));
  show(home, ...cards);
}

/** @param {CodeLine} line @param {number} index @param {Case} one @param {Around} around @returns {HTMLLIElement} */
function card(line, index, one, around) {
  const owner = `l${index}`;
  const side = line.side === "unspecified" ? "" : line.side;
  const form = el("div", { class: "choice" });
  const code = el(
    "button",
    { type: "button", class: "code", click: () => around.openWords(owner), "aria-describedby": `${owner}-label` },
    line.code,
  );
  const item = el(
    "li",
    { class: "line", "data-line": index % LINE_COLOURS, "data-index": index },
    el(
      "div",
      { class: "line-head" },
      code,
      el("span", { class: "where" }, [side, line.joints.join(", ")].filter(Boolean).join(" ") || "no side or joint"),
      verdictButtons(one, index, form, around.changed),
    ),
    el("p", { class: "label", id: `${owner}-label` }, line.label),
    line.descriptor ? el("p", { class: "descriptor" }, line.descriptor) : null,
    el("ul", { class: "reasons" }, ...line.reasons.map((reason) => el("li", {}, reason))),
    quotes(line.evidence, owner, one.text !== null, around),
    form,
  );
  choiceForm(form, one, index, around.changed);
  around.lights.addThing([owner], item);
  return item;
}

/**
 * The words that support a line or a question. Where the note is shown they lead to it.
 * @param {Evidence[]} evidence @param {string} owner @param {boolean} inNote @param {Pick<Around, "openWords">} around
 * @returns {HTMLElement | null}
 */
export function quotes(evidence, owner, inNote, around) {
  if (!evidence.length) return null;
  const items = evidence.map((e) => {
    const words = `\u201c${shortened(e.text)}\u201d`;
    const quote = inNote
      ? el("button", { type: "button", class: "quote", click: () => around.openWords(owner, e.start) }, words)
      : el("q", { class: "quote" }, shortened(e.text));
    return el("li", {}, quote, e.section && el("span", { class: "section" }, ` ${e.section}`));
  });
  const places = evidence.length === 1 ? "1 place" : `${evidence.length} places`;
  const summary = el("summary", {}, `Evidence: ${places}`);
  return el("details", { class: "quotes", open: !inNote }, summary, el("ul", {}, ...items));
}

/** @param {string} text @returns {string} */
export function shortened(text) {
  const plain = text.slice(0, 400).split(/\s+/).join(" ").replace(/\p{C}/gu, "\uFFFD");
  return plain.length > 100 ? `${plain.slice(0, 97)}...` : plain;
}

/**
 * The lines that the reviewer adds.
 * @param {Element} home @param {Case} one @param {() => void} changed
 */
export function drawAdded(home, one, changed) {
  const cards = one.review.added.map((choice, place) => {
    const form = el("div", { class: "choice" });
    const remove = () => {
      one.review.added.splice(one.review.added.indexOf(choice), 1);
      changed();
      drawAdded(home, one, changed);
      document.getElementById("add-line")?.focus();
    };
    const item = el(
      "li",
      { class: "line added" },
      el(
        "div",
        { class: "line-head" },
        el("strong", {}, `Added line ${place + 1}`),
        el("button", { type: "button", class: "small remove", click: remove }, "Remove"),
      ),
      form,
    );
    choiceForm(form, one, choice, changed);
    return item;
  });
  show(home, ...cards);
}

/** @param {Element} home @param {Case} one @param {() => void} changed */
export function addLine(home, one, changed) {
  one.review.added.push(emptyLine());
  changed();
  drawAdded(home, one, changed);
  const inputs = home.querySelectorAll("input.code-input");
  /** @type {HTMLInputElement} */ (inputs[inputs.length - 1]).focus();
}
