/** What a reviewer decided on one note: pure functions, without a page. */

import { siteName } from "./anatomy.js";

/** @typedef {import("./types.js").Case} Case */
/** @typedef {import("./types.js").Choice} Choice */
/** @typedef {import("./types.js").CodeLine} CodeLine */
/** @typedef {import("./types.js").Result} Result */
/** @typedef {import("./types.js").Review} Review */
/** @typedef {import("./types.js").Verdict} Verdict */

/** @param {Result} result @returns {Review} */
export function newReview(result) {
  return {
    choices: result.lines.map(() => null),
    added: [],
    unsettled: result.status === "review",
    done: false,
    kept: false,
  };
}

/**
 * A decision on a proposed line, beginning with what was proposed.
 * @param {CodeLine} line @param {Verdict} decision @returns {Choice}
 */
export function choiceOf(line, decision) {
  return { decision, code: line.code, side: line.side, joints: [...line.joints], reason: "" };
}

/** @returns {Choice} */
export function emptyLine() {
  return { decision: "added", code: "", side: "unspecified", joints: [], reason: "" };
}

/**
 * The joints that a reviewer typed ("L4-5, L5-S1") by their usual names. Names that are none are in `wrong`.
 * @param {string} typed @returns {{joints: string[], wrong: string[]}}
 */
export function readJoints(typed) {
  const joints = [];
  const wrong = [];
  for (const part of typed.split(/[,;\s]+/).filter(Boolean)) {
    const name = siteName(part);
    if (name) joints.push(name);
    else wrong.push(part);
  }
  return { joints: [...new Set(joints)], wrong };
}

/** The code as it is written ("64493", "0216t" is "0216T"), or null. @param {string} typed @returns {string | null} */
export function readCode(typed) {
  const code = typed.trim().toUpperCase();
  return /^\d{4}[0-9A-Z]$/.test(code) ? code : null;
}

/**
 * What is missing in one decision, or "".
 * @param {Choice} choice @param {CodeLine} [line] the proposed line @returns {string}
 */
export function lack(choice, line) {
  const { decision } = choice;
  if (decision !== "rejected" && readCode(choice.code) === null) return "A code is four digits and a digit or letter.";
  const { wrong } = readJoints(choice.joints.join(" "));
  if (wrong.length) return `No joint: ${wrong.join(", ")}. Write L4-L5, or S1 for a foramen.`;
  if (decision === "edited" && line && same(choice, line)) return "Nothing is edited yet.";
  if ((decision === "rejected" || decision === "edited") && !choice.reason.trim()) return "Give a reason.";
  return "";
}

/** @param {Choice} choice @param {CodeLine} line @returns {boolean} */
function same(choice, line) {
  const { joints } = readJoints(choice.joints.join(" "));
  return readCode(choice.code) === line.code && choice.side === line.side && joints.join() === line.joints.join();
}

/** What must be done before the review can be saved, line by line. @param {Case} one @returns {string[]} */
export function open({ result, review }) {
  const problems = review.choices.map((choice, i) => {
    const told = choice ? lack(choice, result.lines[i]) : "not decided";
    return told && `${result.lines[i].code}: ${told}`;
  });
  problems.push(...review.added.map((choice) => lack(choice) && `${choice.code || "added line"}: ${lack(choice)}`));
  return problems.filter(Boolean);
}

/** True when something was decided that is kept nowhere yet. @param {Review} review @returns {boolean} */
export function isUnsaved(review) {
  return !review.kept && (review.done || review.added.length > 0 || review.choices.some(Boolean));
}

/**
 * The reviewed note as POST /v1/decisions takes it. Where its text is not known (a result file alone), or nothing shows
 * that it is the right one, `text` is left out: the service takes no such record.
 * @param {Case} one @param {string} reviewer @returns {Record<string, unknown>}
 */
export function toRecord(one, reviewer) {
  const { result, review } = one;
  const lines = review.choices.map((choice, i) => choice && written(choice, result.lines[i])).filter(Boolean);
  return {
    id: one.id,
    ...(one.text === null || one.unproved ? {} : { text: one.text }),
    profile: result.versions.profile,
    ...(one.date ? { date_of_service: one.date } : {}),
    versions: result.versions,
    status: result.status,
    lines: [...lines, ...review.added.map((choice) => written(choice))],
    ...(reviewer.trim() ? { reviewer: reviewer.trim() } : {}),
    ...(review.unsettled ? { unsettled: true } : {}),
  };
}

/** @param {Choice} choice @param {CodeLine} [line] */
function written(choice, line) {
  const { decision, side, reason } = choice;
  return {
    decision,
    code: readCode(choice.code) ?? choice.code,
    side,
    joints: readJoints(choice.joints.join(" ")).joints,
    ...(decision === "edited" && line ? { proposed: { code: line.code, side: line.side, joints: line.joints } } : {}),
    reason: reason.trim(),
  };
}

/** One decision in words: for the line itself, and for paper. @param {Choice | null} choice @returns {string} */
export function told(choice) {
  if (!choice) return "Not decided";
  const reason = choice.reason.trim() ? ` Reason: ${choice.reason.trim()}` : "";
  if (choice.decision === "accepted") return `Accepted.${reason}`;
  if (choice.decision === "rejected") return `Rejected.${reason}`;
  const side = choice.side === "unspecified" ? "" : choice.side;
  const line = [choice.code, side, readJoints(choice.joints.join(" ")).joints.join(", ")].filter(Boolean).join(" ");
  return `${choice.decision === "edited" ? "Edited" : "Added"}: ${line}.${reason}`;
}

/**
 * The decisions on the same text coded again: kept when the lines are the same (a profile changes the claim, never the
 * lines), else null.
 * @param {Result} before @param {Review} review @param {Result} after @returns {Review | null}
 */
export function carried(before, review, after) {
  /** @param {Result} result */
  const key = (result) => JSON.stringify(result.lines.map((line) => [line.code, line.side, line.joints]));
  return key(before) === key(after) ? { ...review, done: false, kept: false } : null;
}
