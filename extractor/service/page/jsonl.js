/**
 * Result files of `facetcode run` and files of notes, one JSON object a line. A file is read a piece at a time and only
 * an index of it is kept, so that its size does not matter and the page stays alive.
 */

import { isResult } from "./shape.js";

/** @typedef {{at: number, size: number}} Stretch  bytes of the file */
/**
 * @typedef {Stretch & {id: string, status: string, codes: string[], queries: string[], lines: number,
 *   twin: number}} Entry  `twin` counts the records before it that have the same id
 */
/** @typedef {{entries: Entry[], other: number, broken: number}} Index */

const PIECE = 1 << 20; // bytes; one takes a few hundredths of a second

/**
 * Calls `take` with every line that is not empty, in order. Between two pieces the page gets its turn.
 * @param {File} file @param {(line: string, where: Stretch) => void} take @param {(done: number) => void} [progress]
 */
export async function eachLine(file, take, progress) {
  const decoder = new TextDecoder();
  /** @type {Uint8Array[]} */
  let begun = []; // pieces of a line whose end is not there yet
  let at = 0;
  /** @param {Uint8Array} last */
  const finish = (last) => {
    const parts = [...begun, last];
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const line = (parts.length === 1 ? decoder.decode(last) : decoder.decode(joined(parts, size))).trim();
    if (line) take(line, { at, size });
    at += size + 1;
    begun = [];
  };
  for (let done = 0; done < file.size; done += PIECE) {
    const bytes = new Uint8Array(await file.slice(done, done + PIECE).arrayBuffer());
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      finish(bytes.subarray(from, end));
      from = end + 1;
    }
    begun.push(bytes.subarray(from));
    progress?.(Math.min((done + PIECE) / file.size, 1));
    await new Promise((resolve) => setTimeout(resolve));
  }
  finish(new Uint8Array(0));
}

/** @param {Uint8Array[]} parts @param {number} size */
function joined(parts, size) {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * The results of a file. Lines that are no result (failures of a run) and lines that are no JSON are counted.
 * @param {File} file @param {(done: number) => void} [progress] @returns {Promise<Index>}
 */
export async function indexResults(file, progress) {
  /** @type {Index} */
  const index = { entries: [], other: 0, broken: 0 };
  /** @type {Map<string, number>} */
  const seen = new Map();
  await eachLine(
    file,
    (line, where) => {
      const result = parsed(line);
      if (result === undefined) index.broken += 1;
      else if (!isResult(result)) index.other += 1;
      else {
        const twin = seen.get(result.id) ?? 0;
        seen.set(result.id, twin + 1);
        index.entries.push({
          ...where,
          id: result.id,
          status: result.status,
          codes: [...new Set(result.lines.map((item) => item.code))],
          queries: [...new Set(result.queries.map((item) => item.id))],
          lines: result.lines.length,
          twin,
        });
      }
    },
    progress,
  );
  return index;
}

/**
 * Where each note of a file is, by id. @param {File} file @param {(done: number) => void} [progress]
 * @returns {Promise<Map<string, Stretch[]>>}
 */
export async function indexNotes(file, progress) {
  /** @type {Map<string, Stretch[]>} */
  const notes = new Map();
  await eachLine(
    file,
    (line, where) => {
      const note = parsed(line);
      if (typeof note?.text !== "string" || note.id == null) return;
      const id = String(note.id);
      const twins = notes.get(id);
      if (twins) twins.push(where);
      else notes.set(id, [where]);
    },
    progress,
  );
  return notes;
}

/** One object of a file, read anew. @param {File} file @param {Stretch} where @returns {Promise<any>} */
export async function readAt(file, { at, size }) {
  return parsed(await file.slice(at, at + size).text());
}

/** @param {string} line @returns {any} undefined where it is no JSON */
function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
