/** Questions to the physician, ready to send. */

import { announce, copy, el, show } from "./dom.js";
import { quotes, shortened } from "./lines.js";

/** @typedef {import("./types.js").Case} Case */
/** @typedef {import("./types.js").Query} Query */
/** @typedef {import("./lines.js").Around} Around */

/** @param {Element} home @param {Case} one @param {Around} around */
export function drawQueries(home, one, around) {
  const { queries } = one.result;
  const items = queries.map((query, index) => {
    const item = el(
      "li",
      { class: "query" },
      el("p", { class: "question" }, query.question),
      el("p", { class: "query-id" }, query.id),
      copyButton("Copy", () => message(one, [query]), `Copy the question ${query.id}`),
      quotes(query.evidence, `q${index}`, one.text !== null, around),
    );
    around.lights.addThing([`q${index}`], item);
    return item;
  });
  show(
    home,
    el("ol", { class: "plain" }, ...items),
    queries.length > 1 && copyButton(`Copy all ${queries.length} questions`, () => message(one, queries)),
  );
}

/**
 * The questions as one message, each with the words it is about.
 * @param {Case} one @param {Query[]} queries @returns {string}
 */
export function message(one, queries) {
  const day = one.date ? `, date of service ${one.date}` : "";
  const asked = queries.map((query, index) => {
    const words = [...new Set(query.evidence.map((e) => shortened(e.text)))].slice(0, 8);
    const number = queries.length > 1 ? `${index + 1}. ` : "";
    return number + query.question + (words.length ? `\n   The note says: "${words.join('", "')}"` : "");
  });
  return `Question about the procedure note ${one.id}${day}\n\n${asked.join("\n\n")}\n`;
}

/** @param {string} name @param {() => string} text @param {string} [label] @returns {HTMLButtonElement} */
function copyButton(name, text, label) {
  /** @param {{currentTarget: HTMLElement}} event */
  const click = async ({ currentTarget }) => {
    const done = await copy(text());
    announce(done ? "Copied" : "The browser did not let the page copy");
    currentTarget.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => (currentTarget.textContent = name), 2_000);
  };
  return el("button", { type: "button", class: "small copy", "aria-label": label ?? false, click }, name);
}
