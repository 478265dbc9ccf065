/** One record of a result file with its note, as both files hold it. */

import { newReview } from "./decisions.js";
import { textDigest } from "./digest.js";
import { readAt } from "./jsonl.js";
import { hasQuotes, misfits, toUtf16 } from "./offsets.js";
import { isResult } from "./shape.js";

/** @typedef {import("./types.js").Case} Case */
/** @typedef {import("./jsonl.js").Entry} Entry */
/** @typedef {import("./jsonl.js").Stretch} Stretch */
/** @typedef {{file: File, places: Map<string, Stretch[]>}} Notes  a file of notes, and where each id is in it */

const OTHER = "The notes file does not fit: this note is another text than the one that was coded. It is not shown.";
const UNPROVED =
  "This result quotes no words, so nothing shows that this is its note: compare them. " +
  "The decisions are downloaded without the text, and the service does not keep them.";

/** What the page itself says of a case, however often it is opened. @param {Case} one @returns {string[]} */
export function doubts({ wrong, other, unproved }) {
  if (other) return [OTHER];
  if (!wrong) return unproved ? [UNPROVED] : [];
  return [`The notes file does not fit: ${wrong} quotes are not the words at their place. The text is not shown.`];
}

/**
 * The record with its note, not reviewed yet; null where it can no longer be read.
 * @param {File} file @param {Entry} entry @param {Notes | null} notes @returns {Promise<Case | null>}
 */
export async function readCase(file, entry, notes) {
  const read = await readAt(file, entry);
  if (!isResult(read)) return null;
  const note = notes && (await noteOf(notes, entry));
  const result = note ? toUtf16(read, note.text) : read;
  const wrong = note ? misfits(result, note.text) : 0;
  const { profile, text: stamp, date_of_service: coded } = result.versions;
  const digest = note && stamp ? await textDigest(note.text) : null;
  const other = digest !== null && digest !== stamp;
  const text = note && !wrong && !other ? note.text : null;
  const date = coded ?? (typeof note?.date_of_service === "string" ? note.date_of_service : "");
  const unproved = text !== null && digest === null && !hasQuotes(result);
  return { id: entry.id, text, profile, date, result, review: newReview(result), wrong, other, unproved };
}

/**
 * @param {Notes} notes @param {Entry} entry
 * @returns {Promise<{text: string, date_of_service?: unknown} | null>}
 */
async function noteOf(notes, { id, twin }) {
  const where = notes.places.get(id)?.[twin];
  const note = where && (await readAt(notes.file, where));
  return typeof note?.text === "string" ? note : null;
}
