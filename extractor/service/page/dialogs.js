/** The two dialogs: asking for the token, and the list of keys. */

import { byId } from "./dom.js";

/**
 * Asks for the token of the service. @param {boolean} refused whether the last one was not taken
 * @returns {Promise<string>} "" when the user gives none
 */
export function askToken(refused) {
  const dialog = byId("token-dialog");
  const input = byId("token");
  byId("token-refused").textContent = refused ? "The service did not accept this token." : "";
  input.value = "";
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    let given = "";
    byId("token-form").onsubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      given = input.value.trim();
      dialog.close();
    };
    byId("token-cancel").onclick = () => dialog.close();
    dialog.onclose = () => {
      input.value = ""; // it stays nowhere but in the object that sends it
      resolve(given);
    };
  });
}

/** The list of keys. */
export function showHelp() {
  byId("help-dialog").showModal();
}

/** @type {{value: boolean}} */
const singleKeys = { value: true };

/**
 * Keys that act on the page as a whole. They rest while something is typed, in a dialog, and when switched off.
 * @param {Record<string, () => void>} actions by key
 */
export function listenForKeys(actions) {
  byId("help").addEventListener("click", showHelp);
  byId("help-close").addEventListener("click", () => byId("help-dialog").close());
  byId("keys-on").addEventListener("change", () => (singleKeys.value = byId("keys-on").checked));
  document.addEventListener("keydown", (event) => {
    if (!singleKeys.value || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const target = /** @type {Element} */ (event.target);
    if (target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
