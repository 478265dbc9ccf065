/** Accept, edit, reject: the buttons of a line and the fields they open. */

import { el, show } from "./dom.js";
import { choiceOf, lack, readJoints, told } from "./decisions.js";

/** @typedef {import("./types.js").Case} Case */
/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").Side} Side */
/** @typedef {import("./types.js").Verdict} Verdict */

/** @type {[Verdict, string][]} */
const VERDICTS = [
  ["accepted", "Accept"],
  ["edited", "Edit"],
  ["rejected", "Reject"],
];
/** @type {Side[]} */
const SIDES = ["left", "right", "bilateral", "unspecified"];
let serial = 0; // ids of fields, so that each has its own label

/**
 * @param {Case} one @param {number} index of the line @param {HTMLElement} form @param {() => void} changed
 * @returns {HTMLElement}
 */
export function verdictButtons(one, index, form, changed) {
  const line = one.result.lines[index];
  const buttons = VERDICTS.map(([verdict, name]) => {
    const chosen = one.review.choices[index]?.decision === verdict;
    return el(
      "button",
      {
        type: "button",
        class: `small ${verdict}`,
        "data-verdict": verdict,
        "aria-pressed": String(chosen),
        click: choose,
      },
      name,
    );
  });
  /** @param {Event} event */
  function choose(event) {
    const button = /** @type {HTMLElement} */ (event.currentTarget);
    const verdict = /** @type {Verdict} */ (button.dataset.verdict);
    const before = one.review.choices[index];
    const again = before?.decision === verdict; // pressed once more: decided no longer
    one.review.choices[index] = again ? null : { ...choiceOf(line, verdict), reason: before?.reason ?? "" };
    choiceForm(form, one, index, changed);
    changed();
    if (!again && verdict !== "accepted") form.querySelector("input")?.focus();
  }
  return el("div", { class: "verdicts", role: "group", "aria-label": `Decision on ${line.code}` }, ...buttons);
}

/** Sets the buttons by what is decided, however it was decided. @param {Element} card @param {Choice | null} choice */
export function press(card, choice) {
  for (const button of card.querySelectorAll("[data-verdict]")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-verdict") === choice?.decision));
  }
}

/**
 * The fields of a decision: none for an accepted line, the reason for a rejected one, all for the others.
 * @param {HTMLElement} form @param {Case} one @param {number | Choice} which the line's index, or an added line
 * @param {() => void} changed
 */
export function choiceForm(form, one, which, changed) {
  const choice = typeof which === "number" ? one.review.choices[which] : which;
  const line = typeof which === "number" ? one.result.lines[which] : undefined;
  const state = el("p", { class: "told" });
  serial += 1;
  const error = el("p", { class: "lack", id: `lack-${serial}` });
  const refresh = () => {
    const missing = choice ? lack(choice, line) : "";
    state.textContent = told(choice);
    state.classList.toggle("undecided", !choice);
    error.textContent = missing;
    for (const input of form.querySelectorAll("input")) input.setAttribute("aria-describedby", error.id);
  };
  /** @param {(value: string) => void} store */
  const onInput = (store) => (/** @type {{currentTarget: HTMLInputElement}} */ event) => {
    store(event.currentTarget.value);
    refresh();
    changed();
  };
  const fields = [];
  if (choice && (choice.decision === "edited" || choice.decision === "added")) {
    const sides = SIDES.map((side) => el("option", { value: side, selected: side === choice.side }, side));
    fields.push(
      field(
        "Code",
        el("input", {
          class: "code-input",
          value: choice.code,
          size: 7,
          maxlength: 5,
          spellcheck: "false",
          autocomplete: "off",
          input: onInput((value) => (choice.code = value)),
        }),
      ),
      field(
        "Side",
        el(
          "select",
          { class: "side-input", change: onInput((value) => (choice.side = /** @type {Side} */ (value))) },
          ...sides,
        ),
      ),
      field(
        "Joints",
        el("input", {
          class: "joints-input",
          value: choice.joints.join(", "),
          size: 14,
          spellcheck: "false",
          autocomplete: "off",
          placeholder: "L4-L5, L5-S1",
          input: onInput((value) => (choice.joints = typed(value))),
        }),
      ),
    );
  }
  if (choice && choice.decision !== "accepted") {
    const name = choice.decision === "added" ? "Reason (optional)" : "Reason";
    const input = el("input", {
      class: "reason-input",
      value: choice.reason,
      list: "reasons",
      spellcheck: "false",
      autocomplete: "off",
      required: choice.decision !== "added",
      input: onInput((value) => (choice.reason = value)),
    });
    fields.push(field(name, input, "wide"));
  }
  show(form, fields.length > 0 && el("div", { class: "fields" }, ...fields), error, state);
  refresh();
}

/** What was typed as joints: by their usual names, or as it stands where it is none yet. @param {string} value */
function typed(value) {
  const { joints, wrong } = readJoints(value);
  return wrong.length ? value.split(/[,;\s]+/).filter(Boolean) : joints;
}

/** @param {string} name @param {HTMLElement} input @param {string} [size] @returns {HTMLElement} */
function field(name, input, size = "") {
  serial += 1;
  input.id = `field-${serial}`;
  return el("div", { class: `field ${size}` }, el("label", { for: input.id }, name), input);
}
