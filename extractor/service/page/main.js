/** The page as a whole: the form, the result file, saving, and what ties them together. */

import { Api, ApiError } from "./api.js";
import { Batch } from "./batch.js";
import { carried, isUnsaved, newReview, toRecord } from "./decisions.js";
import { askToken, listenForKeys, showHelp } from "./dialogs.js";
import { announce, byId, complain, el, show } from "./dom.js";
import { NoteForm } from "./note-form.js";
import { misfits } from "./offsets.js";
import { downloadCase, Workspace } from "./workspace.js";

/** @typedef {import("./types.js").Case} Case */
/** @typedef {import("./types.js").Service} Service */

const api = new Api(askToken);
const form = new NoteForm();
const workspace = new Workspace(changed);
/** @type {Batch | undefined} */
const batch = new Batch((one, warnings) => {
  if (!isBatch()) return;
  if (one) workspace.show(one, warnings);
  else workspace.hide();
});
/** @type {Service | null} */
let service = null;
/** @type {Promise<Service> | null} what is asked of it, or was answered */
let meeting = null;
/** @type {Case | null} the note of the form; the workspace shows it while that view is open */
let single = null;
/** @type {AbortController | null} */
let asked = null;
const UNSAVED = "The decisions on the note that is shown are not saved. Code this one and lose them?";

/** Asks for the coding of the note in the form. @param {boolean} again  the same note under another profile or date */
async function code(again) {
  if (!service && !(await isKnown())) return;
  const note = form.read();
  const wrong = form.lack(note, service?.limits.max_chars ?? Infinity);
  complain(again ? "" : wrong);
  if (wrong) return;
  const known = single;
  const sameText = again && known?.text === note.text; // then its decisions are kept, if its lines are
  const agreed = !sameText && known !== null && isUnsaved(known.review);
  if (agreed && !confirm(UNSAVED)) return;
  asked?.abort();
  const mine = new AbortController();
  asked = mine;
  form.busy(true);
  announce("Coding the note");
  try {
    const { text, id, profile, date } = note;
    const request = { text, id, ...(profile ? { profile } : {}), ...(date ? { date_of_service: date } : {}) };
    const result = await api.code(request, mine.signal);
    const kept = sameText ? carried(known.result, known.review, result) : null;
    // Decided while the answer was awaited, or the same text has other lines now.
    if (!kept && !agreed && known && isUnsaved(known.review) && !confirm(UNSAVED)) return;
    byId("profile").value = result.versions.profile; // it may be that of the service
    single = { id, text, profile, date, result, review: kept ?? newReview(result) };
    const warnings = form.warnings(note);
    if (misfits(result, text))
      warnings.push("Some quotes of the answer are not the words at their place in this note.");
    if (isBatch()) return; // the other view was opened meanwhile
    workspace.show(single, warnings);
    if (!again) form.close();
    if (!again) byId("result-head").focus();
    announce(`${result.status}: ${result.lines.length} lines, ${result.queries.length} questions`);
  } catch (error) {
    if (asked === mine)
      complain(error instanceof ApiError ? error.message : aborted(error) ? "" : "The answer could not be shown.");
  } finally {
    if (asked === mine) form.busy(false);
  }
}

/** @param {unknown} error */
const aborted = (error) => error instanceof DOMException && error.name === "AbortError";

/** Finishes the review of the note that is shown, and keeps it where that is possible. */
async function save() {
  const { one } = workspace;
  complain("");
  if (!one || !workspace.isComplete()) return;
  try {
    if (one.text !== null && !one.unproved && (service ?? (await meet())).store) {
      await api.decide(toRecord(one, byId("reviewer").value));
      one.review.kept = true;
      announce("The review is saved");
    } else if (!isBatch()) return saveFile();
    one.review.done = true;
    workspace.refresh();
    if (isBatch()) await batch?.step(1);
  } catch (error) {
    one.review.done = true; // so that the file of decisions holds it: the service may never take it
    workspace.refresh();
    const why = error instanceof ApiError ? error.message : "The review could not be saved.";
    complain(`${why} The review is finished but not kept: save it again, or download the decisions.`);
  }
}

/** After every decision: the list of the file, and whether a review waits that only a download can keep. */
function changed() {
  batch?.refresh();
  const review = workspace.one?.review;
  byId("save-file").hidden = isBatch() || !review?.done || review.kept;
}

/** Downloads the decisions on the note that is shown. */
function saveFile() {
  const { one } = workspace;
  if (!one || !workspace.isComplete()) return;
  downloadCase(one, byId("reviewer").value);
  Object.assign(one.review, { done: true, kept: true });
  complain("");
  workspace.refresh();
  announce("The decisions are downloaded");
}

/** Which of the two views is open: the address says it, and nothing else. */
function isBatch() {
  return location.hash === "#file";
}

/** Shows the view that the address names. */
function route() {
  const file = isBatch();
  byId("one-view").hidden = file;
  byId("file-view").hidden = !file;
  byId("to-one").setAttribute("aria-current", file ? "false" : "page");
  byId("to-file").setAttribute("aria-current", file ? "page" : "false");
  workspace.hide();
  complain("");
  nameSave();
  if (!file && single) workspace.show(single);
  if (file) void batch?.reopen();
}

function nameSave() {
  byId("save").textContent = isBatch() ? "Finish and next" : service?.store ? "Save review" : "Download decisions";
}

/**
 * What the service is and can. It is asked until it has answered: a token that was not given, or a service that was
 * just starting, must not make the page take it for one that keeps nothing.
 * @returns {Promise<Service>}
 */
function meet() {
  meeting ??= api
    .versions()
    .then(introduce)
    .catch((error) => {
      meeting = null;
      throw error;
    });
  return meeting;
}

/** Whether the service has said what it is; the user is told why not. */
async function isKnown() {
  try {
    await meet();
    return true;
  } catch (error) {
    complain(error instanceof ApiError ? error.message : "The service gave an answer that the page does not know.");
    return false;
  }
}

/** @param {Service} found @returns {Service} */
function introduce(found) {
  const { engine, patterns, codes, profiles, limits, store } = found;
  show(byId("service"), `This service: facetcode ${engine}, patterns ${patterns}, codes ${codes}.`);
  const choices = profiles.map((name) => el("option", { value: name }, name));
  show(byId("profile"), el("option", { value: "" }, "of the service"), ...choices);
  byId("limit").textContent = `At most ${limits.max_chars.toLocaleString("en")} characters.`;
  byId("store-note").textContent = store
    ? "Saved reviews are kept by this service, with the note."
    : "This service keeps nothing: decisions are downloaded as a file.";
  service = found;
  nameSave();
  return found;
}

form.listen(
  () => void code(false),
  () => single && void code(true),
);
byId("save").addEventListener("click", () => void save());
byId("save-file").addEventListener("click", saveFile);
addEventListener("hashchange", route);
addEventListener("beforeunload", (event) => {
  if ((single && isUnsaved(single.review)) || batch?.unsaved) event.preventDefault();
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file) void (isBatch() ? batch?.load(file) : form.load(file));
});
listenForKeys({
  "?": showHelp,
  j: () => workspace.stepLine(1),
  k: () => workspace.stepLine(-1),
  a: () => workspace.decideHere("accepted"),
  e: () => workspace.decideHere("edited"),
  x: () => workspace.decideHere("rejected"),
  s: () => void save(),
  n: () => void (isBatch() && batch?.step(1)),
  p: () => void (isBatch() && batch?.step(-1)),
  "/": () => (isBatch() ? byId("filter-id") : form.open()).focus(),
});
route();
void isKnown();
