/** The form of one note: its text, its id, the profile and the date of service. */

import { announce, byId, complain } from "./dom.js";
import { codePoints, wellFormed } from "./offsets.js";

/** @typedef {{text: string, given: string, id: string, profile: string, date: string}} Filled  `given` before repair */

export class NoteForm {
  /** The text of an opened file as it is: the text area would change its line ends. @type {string | null} */
  #opened = null;
  /** Whether the id is the name of the opened file: an id that the user typed stays. */
  #named = false;

  /** @param {() => void} code @param {() => void} again */
  listen(code, again) {
    byId("note-form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      code();
    });
    byId("note-file").addEventListener("change", () => this.load(byId("note-file").files[0]));
    byId("text").addEventListener("input", () => this.#rewritten());
    byId("note-id").addEventListener("input", () => (this.#named = false));
    byId("text").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      code();
    });
    byId("profile").addEventListener("change", again);
    byId("date").addEventListener("change", () => byId("date").validity.valid && again());
  }

  /** @returns {Filled} */
  read() {
    const given = this.#opened ?? byId("text").value;
    const text = wellFormed(given);
    return {
      text,
      given,
      id: byId("note-id").value.trim() || idOf(text),
      profile: byId("profile").value,
      date: byId("date").value,
    };
  }

  /** Why this cannot be sent, or "". @param {Filled} note @param {number} most characters @returns {string} */
  lack(note, most) {
    if (!note.text.trim()) return "Paste a note or open one first.";
    if (!byId("date").validity.valid) return "The date of service is not complete.";
    const length = codePoints(note.text);
    if (length <= most) return "";
    const [has, takes] = [length, most].map((n) => n.toLocaleString("en"));
    return `The note has ${has} characters; this service takes at most ${takes}.`;
  }

  /** @param {Filled} note @returns {string[]} */
  warnings(note) {
    return note.given === note.text ? [] : ["The note holds halves of characters; they are shown and sent as \uFFFD."];
  }

  /** Takes a file as the note; its name without ending becomes the id. @param {File | undefined} file */
  async load(file) {
    if (!file) return;
    complain("");
    const bytes = await file.arrayBuffer();
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    } catch {
      text = new TextDecoder("windows-1252").decode(bytes);
      complain("The file is not UTF-8; it was read as Windows-1252. Check its letters.");
    }
    this.open();
    byId("text").value = text;
    this.#opened = text;
    byId("note-id").value = file.name.replace(/\.[^.]*$/, "");
    this.#named = true;
    byId("note-file").value = "";
    announce("The file is open");
  }

  /** The text is no longer that of the opened file, so its name must not stay the id of what may be another note. */
  #rewritten() {
    this.#opened = null;
    if (this.#named) byId("note-id").value = "";
    this.#named = false;
  }

  /** Opens the form; its text area. @returns {HTMLTextAreaElement} */
  open() {
    byId("input-part").open = true;
    return byId("text");
  }

  close() {
    byId("input-part").open = false;
  }

  /** @param {boolean} is */
  busy(is) {
    byId("code").disabled = is;
    byId("code").textContent = is ? "Coding\u2026" : "Code note";
    byId("workspace").classList.toggle("stale", is);
  }
}

/**
 * An id for a note without one: the same text gets the same id, so that a second review replaces the first. 64 bits
 * of a simple hash, no secret.
 * @param {string} text @returns {string}
 */
export function idOf(text) {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  const hex = (/** @type {number} */ n) => (n >>> 0).toString(16).padStart(8, "0");
  return `note-${hex(a ^ (b >>> 15))}${hex(b ^ (a >>> 13))}`;
}
