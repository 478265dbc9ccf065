/**
 * Building elements. Text goes in as text nodes only: nothing here parses markup, so nothing of a note can become any.
 */

/** @typedef {Node | string | null | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Props */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element. A function in `props` listens to the event of that name; true sets an empty attribute; false and
 * null set none.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Props} [props] @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag @param {Props} [props] @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, props = {}, ...children) {
  return fill(/** @type {SVGElementTagNameMap[K]} */ (document.createElementNS(SVG, tag)), props, children);
}

/**
 * @template {Element} T
 * @param {T} element @param {Props} props @param {Child[]} children @returns {T}
 */
function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child || child === "") element.append(child);
  return element;
}

/**
 * The element of index.html with this id. Throws when there is none: the page and its script do not fit.
 * @param {string} id @returns {any}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/** @param {Element} element @param {...Child} children */
export function show(element, ...children) {
  element.replaceChildren(...children.filter((child) => child || child === "").map((child) => child || ""));
}

/** Says something to a screen reader without moving the focus. @param {string} message */
export function announce(message) {
  byId("live").textContent = message;
}

/** Shows an error, or takes the last one away. @param {string} message */
export function complain(message) {
  byId("problem").textContent = message;
  if (message) byId("problem").scrollIntoView({ block: "nearest" });
}

/** Offers a file to be saved. @param {string} name @param {string} content @param {string} type */
export function download(name, content, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * Copies text. The clipboard is only there in a secure context; elsewhere the old command has to do.
 * @param {string} text @returns {Promise<boolean>}
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "visually-hidden", "aria-hidden": "true" });
    area.value = text;
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (before instanceof HTMLElement) before.focus();
    return done;
  }
}
