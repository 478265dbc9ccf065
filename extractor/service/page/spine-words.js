/** The picture of the spine in sentences: what it shows at a glance, and its text alternative. */

/** @typedef {import("./types.js").Result} Result */
/** @typedef {import("./spine-model.js").Model} Model */
/** @typedef {import("./spine-model.js").Target} Target */

/** @param {Model} model @param {Result} result @returns {string[]} */
export function sentences(model, result) {
  const told = [...ofSide("left", "Left", model), ...ofSide("right", "Right", model)];
  for (const target of model.targets) {
    const side = target.place === "middle" ? "" : `${target.place} `;
    if (target.line === null) told.push(`Treated without a line: ${side}${target.site}.`);
    else if (target.shape !== "facet") told.push(`${result.lines[target.line].code}: ${side}${placeName(target)}.`);
  }
  return [...new Set(told)];
}

/** @param {"left" | "right"} place @param {string} name @param {Model} model @returns {string[]} */
function ofSide(place, name, model) {
  const nerves = model.nerves.filter((nerve) => nerve.place === place);
  const joints = model.targets.filter((t) => t.place === place && t.shape === "facet" && t.line !== null);
  const have = new Set(nerves.map((nerve) => nerve.name));
  const supplied = joints.filter((joint) => joint.nerves.length && joint.nerves.every((nerve) => have.has(nerve)));
  const entered = joints.filter((joint) => !supplied.includes(joint));
  const facet = nerves.filter((nerve) => nerve.facet);
  const sacral = nerves.filter((nerve) => !nerve.facet);
  const who = [...nerves, ...joints].some((item) => !item.sure) ? "Side not documented" : name;
  const told = [];
  if (facet.length) {
    const one = facet.length === 1;
    const does = supplied.length
      ? `${one ? "supplies" : "supply"} ${count(supplied.length, "joint")} (${sites(supplied)})`
      : `${one ? "completes" : "complete"} no facet joint`;
    told.push(`${count(facet.length, "nerve")} (${facet.map((nerve) => nerve.name).join(", ")}) ${does}`);
  }
  if (sacral.length) {
    const names = sacral.map((nerve) => nerve.name).join(", ");
    told.push(`${count(sacral.length, "nerve")} of the sacroiliac joint (${names})`);
  }
  if (entered.length) told.push(`${count(entered.length, "joint")} treated (${sites(entered)})`);
  return told.map((sentence) => `${who}: ${sentence}.`);
}

/** @param {Target} target @returns {string} */
function placeName({ shape, site }) {
  if (shape === "sacroiliac") return "sacroiliac joint";
  return shape === "foramen" ? `${site} foramen` : `${site}, in the midline`;
}

/** @param {Target[]} targets @returns {string} */
const sites = (targets) => [...new Set(targets.map((target) => target.site))].join(", ");

/** @param {number} n @param {string} what @returns {string} */
const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
