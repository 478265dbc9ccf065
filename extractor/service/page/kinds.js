/** The kinds of things that are marked in a note, and how the page names them. */

/** @typedef {import("./types.js").Entity} Entity */

/** Kinds of entities (labels of the result) with their names, in the order of the legend. @type {[string, string][]} */
export const KINDS = [
  ["Level", "Level"],
  ["Nerve", "Nerve"],
  ["BoneSite", "Bone landmark"],
  ["Side", "Side"],
  ["Target", "Target"],
  ["Technique", "Technique"],
  ["Imaging", "Imaging"],
  ["Agent", "Drug"],
];

const NAMES = new Map(KINDS);

/** What stands behind an entity that was not done here, and how it reads aloud. @type {Record<string, string>} */
export const ASSERTIONS = {
  negated: "negated",
  planned: "planned",
  historical: "historical",
  hypothetical: "hypothetical",
  discontinued: "discontinued",
};

/** The status of a result with what it means. @type {Record<string, [string, string]>} */
export const STATUS = {
  coded: ["Coded", "Every line is supported and no question is open."],
  review: ["Review", "A person must answer or decide first."],
  no_code: ["No code", "Nothing of these kinds was performed at this encounter."],
};

/** @param {string} label @returns {string} */
export function kindName(label) {
  return NAMES.get(label) ?? label;
}

/** A name of the result as words: "thermal_rf" is "thermal rf". @param {string} name @returns {string} */
export function words(name) {
  return name.replaceAll("_", " ");
}

/** What was read at an entity, in one sentence without its words. @param {Entity} entity @returns {string} */
export function describe(entity) {
  const extra = Object.entries(entity.attributes).map(([name, value]) => `${words(name)} ${words(value)}`);
  const read = [`${kindName(entity.label)}: ${words(entity.value)}`, ...extra].join(", ");
  return `${read} (${entity.assertion}${entity.section ? `, in ${entity.section}` : ""})`;
}
