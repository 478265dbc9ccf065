/** Characters that show nothing or turn the writing direction: a reviewer has to see that they are there. */

import { el } from "./dom.js";

const HIDDEN = /(?:(?![\t\n\r])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|\r(?!\n))+/gu;
const COUNTED = 10_000; // units of one run

/**
 * Appends text with its hidden characters in boxes of their own, which the style sheet names. The text stays the same.
 * @param {Element} home @param {string} text @returns {number} how many elements that took
 */
export function appendText(home, text) {
  let count = 0;
  let at = 0;
  for (const found of text.matchAll(HIDDEN)) {
    if (found.index > at) home.append(text.slice(at, found.index));
    home.append(el("span", { class: "hidden-char", "data-name": nameOf(found[0]) }, found[0]));
    at = found.index + found[0].length;
    count += 1;
  }
  if (at < text.length) home.append(text.slice(at));
  return count;
}

/** @param {string} run @returns {string} */
function nameOf(run) {
  const code = run.codePointAt(0) ?? 0;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const more = [...run.slice(0, COUNTED)].length - 1;
  if (!more) return name;
  return `${name} and ${run.length > COUNTED ? "many" : more} more`;
}
