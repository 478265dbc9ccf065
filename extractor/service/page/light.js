/**
 * What lights with what: a line, its words in the note, its joints in the picture. Elements register under the owners
 * they belong to, either as words of the note or as the thing that the words speak for.
 */

/** How many colours lines have before they begin again; the style sheet holds them. */
export const LINE_COLOURS = 6;

/** @typedef {Map<string, Set<Element>>} Register */

export class Lights {
  /** @type {Register} */ #words = new Map();
  /** @type {Register} */ #things = new Map();
  /** @type {Element[]} */ #lit = [];

  /** Forgets every element: a new note is shown. */
  reset() {
    this.#words.clear();
    this.#things.clear();
    this.#lit = [];
  }

  /** @param {string} owner @param {Element} element */
  addWords(owner, element) {
    add(this.#words, owner, element);
  }

  /**
   * A line, question, joint or nerve. Pointing at it or focusing it lights all of `owners`.
   * @param {string[]} owners @param {Element} element
   */
  addThing(owners, element) {
    for (const owner of owners) add(this.#things, owner, element);
    element.addEventListener("pointerenter", () => this.fromThing(owners));
    element.addEventListener("pointerleave", () => this.clear());
    element.addEventListener("focusin", () => this.fromThing(owners));
    element.addEventListener("focusout", () => this.clear());
  }

  /**
   * An element that lights with an owner without being it: the nerves of a joint.
   * @param {string} owner @param {Element} element
   */
  addCompanion(owner, element) {
    add(this.#things, owner, element);
  }

  /** The words of these owners, and all that stands for them. @param {string[]} owners */
  fromThing(owners) {
    this.clear();
    for (const owner of owners) {
      for (const element of this.#words.get(owner) ?? []) this.#light(element, owner);
      for (const element of this.#things.get(owner) ?? []) this.#light(element, owner);
    }
  }

  /**
   * What the words under the pointer speak for; of the words, those alone.
   * @param {Element} element @param {string[]} owners
   */
  fromWords(element, owners) {
    this.clear();
    this.#light(element, owners.find((owner) => owner.startsWith("l")) ?? owners[0]);
    for (const owner of owners) for (const thing of this.#things.get(owner) ?? []) this.#light(thing, owner);
  }

  clear() {
    for (const element of this.#lit) {
      element.classList.remove("lit");
      element.removeAttribute("data-lit");
    }
    this.#lit = [];
  }

  /** The first words of an owner, if it has any in this note. @param {string} owner @returns {HTMLElement | null} */
  firstWords(owner) {
    return /** @type {HTMLElement | null} */ (first(this.#words.get(owner)));
  }

  /**
   * The thing that these words speak for, lines before questions.
   * @param {string[]} owners @returns {Element | null}
   */
  firstThing(owners) {
    const ranked = [...owners].sort((a, b) => "lqpe".indexOf(a[0]) - "lqpe".indexOf(b[0]));
    for (const owner of ranked) {
      const thing = first(this.#things.get(owner));
      if (thing) return thing;
    }
    return null;
  }

  /** @param {Element} element @param {string} owner */
  #light(element, owner) {
    if (element.classList.contains("lit")) return;
    element.classList.add("lit");
    element.setAttribute(
      "data-lit",
      owner.replace(/^l(\d+)$/, (_, index) => `l${Number(index) % LINE_COLOURS}`),
    );
    this.#lit.push(element);
  }
}

/** @param {Register} register @param {string} owner @param {Element} element */
function add(register, owner, element) {
  const known = register.get(owner);
  if (known) known.add(element);
  else register.set(owner, new Set([element]));
}

/** @param {Iterable<Element> | undefined} elements @returns {Element | null} */
function first(elements) {
  for (const element of elements ?? []) return element;
  return null;
}
