/** The picture of the spine, seen from behind: joints in the colour of their line, nerves where they run. */

import { MID, ROW, SACRUM, WIDTH, emptyJoints, foramen, jointShape, sacrum, vertebra } from "./bones.js";
import { el, show, svg } from "./dom.js";
import { LINE_COLOURS } from "./light.js";
import { modelOf } from "./spine-model.js";
import { sentences } from "./spine-words.js";

/** @typedef {import("./types.js").Result} Result */
/** @typedef {import("./lines.js").Around} Around */
/** @typedef {import("./spine-model.js").Model} Model */
/** @typedef {import("./spine-model.js").Nerve} Nerve */
/** @typedef {import("./spine-model.js").Target} Target */
/** @typedef {(name: string) => number} Height  the middle of a vertebra */

const GAP = 30; // between two parts of the spine
const LABEL = 108; // from the midline to the labels

/** @param {HTMLElement} home @param {Result} result @param {Around} around @returns {boolean} false: nothing to draw */
export function drawSpine(home, result, around) {
  const model = modelOf(result);
  const told = sentences(model, result);
  if (!model.rows.length) {
    show(home);
    return false;
  }
  const { heights, total } = layout(model.rows);
  /** @type {Height} */
  const y = (name) => heights.get(name) ?? heights.get("S1") ?? 0;
  const picture = svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${total}`,
      class: "spine",
      role: "group",
      "aria-labelledby": "spine-title",
      "aria-describedby": "spine-desc",
    },
    svg("title", { id: "spine-title" }, "Joints and nerves treated, seen from behind"),
    svg("desc", { id: "spine-desc" }, ["The patient's left is on the left.", ...told].join(" ")),
    svg("text", { x: 4, y: 14, class: "side-name" }, "LEFT"),
    svg("text", { x: WIDTH - 4, y: 14, class: "side-name end" }, "RIGHT"),
    ...model.rows.slice(1).map((group) => svg("text", { x: MID, y: y(group[0]) - 42, class: "gap" }, "\u22ee")),
    ...model.rows.flat().map((name) => (name === "S1" ? sacrum(y(name)) : vertebra(name, y(name)))),
    ...model.rows.flatMap((group) => group.slice(1).map((name, i) => emptyJoints((y(group[i]) + y(name)) / 2))),
    ...model.nerves.map((nerve) => drawNerve(nerve, model, y, around)),
    ...model.targets.map((target) => drawTarget(target, result, model, y, around)),
  );
  const note = el("p", { class: "orientation" }, "Seen from behind: the patient\u2019s left is on the left.");
  show(home, el("ul", { class: "spine-told" }, ...told.map((line) => el("li", {}, line))), picture, note);
  return true;
}

/**
 * The middle of each vertebra, from the top.
 * @param {string[][]} rows @returns {{heights: Map<string, number>, total: number}}
 */
function layout(rows) {
  const heights = new Map();
  let total = 46;
  rows.forEach((group, i) => {
    if (i) total += GAP;
    for (const name of group) {
      heights.set(name, total);
      total += ROW;
    }
  });
  return { heights, total: rows.at(-1)?.includes("S1") ? total - ROW + SACRUM : total - ROW / 2 + 6 };
}

/**
 * A nerve on its bone, with a branch to each treated joint that it supplies.
 * @param {Nerve} nerve @param {Model} model @param {Height} y @param {Around} around
 */
function drawNerve(nerve, model, y, around) {
  const x = across(nerve.place);
  const supplied = model.targets.filter((t) => t.place === nerve.place && t.nerves.includes(nerve.name));
  const { spot, course, label } = courseOf(nerve, y, x);
  const branches = nerve.bone && nerve.name !== "TON" ? supplied.map((t) => branch(t, y(nerve.bone ?? ""), y, x)) : [];
  const named = spot.y + label;
  const text = `${nerve.name}${kindOf(nerve)}${nerve.sure ? "" : " ?"}`;
  const told = `${text}, ${nerve.place}${nerve.sure ? "" : " (side not documented)"}, ${nerve.where}`;
  const group = svg(
    "g",
    { class: `thing ${nerve.sure ? "" : "unsure"}`, "aria-label": told, "data-nerve": nerve.name },
    svg("title", {}, told),
    svg("path", { d: course, class: "nerve" }),
    ...branches,
    svg("path", { d: `M${spot.x},${spot.y} L${x(LABEL - 4)},${named}`, class: "leader" }),
    svg("circle", { cx: spot.x, cy: spot.y, r: 4.5, class: "spot" }),
    svg("text", { x: x(LABEL), y: named + 4, class: `nerve-name ${nerve.place === "left" ? "end" : ""}` }, text),
  );
  around.lights.addThing(nerve.owners, group);
  for (const target of supplied) around.lights.addCompanion(target.owner, group);
  return openable(group, nerve.owners[0], around);
}

/**
 * Where a nerve runs, the spot at which it is blocked, and how far below that spot its label stands.
 * @param {Nerve} nerve @param {Height} y @param {(d: number) => number} x
 */
function courseOf(nerve, y, x) {
  if (nerve.name === "TON") {
    const at = (y("C2") + y("C3")) / 2 - 7; // above the middle, so that its name stands above the joint's
    return { spot: { x: x(48), y: at }, course: `M${x(74)},${at - 7} Q${x(46)},${at} ${x(16)},${at + 7}`, label: -8 };
  }
  if (!nerve.bone) {
    const hole = foramen(Math.max(Number(nerve.name.slice(1)) - 1, 0));
    const at = y("S1") + hole.y;
    const course = `M${x(hole.x)},${at} Q${x(44)},${at - 8} ${x(60)},${at - 4}`;
    return { spot: { x: x(hole.x), y: at }, course, label: -1 };
  }
  const bone = y(nerve.bone);
  // In the neck it comes round the pillar from the front; elsewhere from the foramen above, over the process.
  const root = nerve.bone.startsWith("C") ? `M${x(76)},${bone - 14}` : `M${x(64)},${bone - ROW / 2 - 2}`;
  const course = `${root} Q${x(58)},${bone - 16} ${x(50)},${bone - 6} Q${x(42)},${bone + 6} ${x(22)},${bone + 10}`;
  return { spot: { x: x(50), y: bone - 6 }, course, label: -1 };
}

/**
 * From the nerve on its bone to one of the joints above and below.
 * @param {Target} target @param {number} bone @param {Height} y @param {(d: number) => number} x
 */
function branch(target, bone, y, x) {
  const joint = middle(target.site, y);
  const from = joint < bone ? `M${x(50)},${bone - 6}` : `M${x(43)},${bone + 3}`;
  const d = `${from} Q${x(50)},${(joint + bone) / 2} ${x(38)},${joint + (joint < bone ? 8 : -8)}`;
  return svg("path", { d, class: "branch", "data-line": colour(target.line) });
}

/** @param {Target} target @param {Result} result @param {Model} model @param {Height} y @param {Around} around */
function drawTarget(target, result, model, y, around) {
  const x = across(target.place);
  const sacral = target.shape === "sacroiliac";
  const at = sacral ? y("S1") + 30 : middle(target.site, y);
  // The names of sacral nerves stand beside the joint: its own goes below them.
  const crowded = sacral && model.nerves.some((nerve) => !nerve.bone && nerve.place === target.place);
  const height = at + (crowded ? 62 : 0);
  const [shape, edge] = targetShape(target, at, x);
  const code = target.line === null ? "no line" : result.lines[target.line].code;
  const site = sacral ? "SI joint" : target.site;
  const supply = target.nerves.length ? `; supplied by ${target.nerves.join(" and ")}` : "";
  const named = target.sure ? code : `${code} ?`;
  const told = `${site} ${named}, ${target.place}${target.sure ? "" : " (side not documented)"}${supply}`;
  const kind = `thing target ${target.sure ? "" : "unsure"} ${target.line === null ? "uncoded" : ""}`;
  const group = svg(
    "g",
    {
      class: kind,
      "aria-label": told,
      "data-line": colour(target.line),
      "data-site": target.site,
      "data-place": target.place,
    },
    svg("title", {}, told),
    svg("path", { d: `M${x(edge)},${at} L${x(LABEL - 4)},${height}`, class: "leader" }),
    shape,
    svg(
      "text",
      { x: x(LABEL), y: height + 4, class: `target-name ${target.place === "left" ? "end" : ""}` },
      `${site} `,
      svg("tspan", { class: "target-code" }, named),
    ),
  );
  around.lights.addThing([target.owner], group);
  return openable(group, target.owner, around);
}

/**
 * The mark of a target, and how far its edge is from the midline.
 * @param {Target} target @param {number} at @param {(d: number) => number} x @returns {[SVGElement, number]}
 */
function targetShape(target, at, x) {
  switch (target.shape) {
    case "foramen":
      return [svg("rect", { x: x(60) - 7, y: at - 7, width: 14, height: 14, rx: 3, class: "mark" }), 67];
    case "midline":
      return [svg("path", { d: `M${MID},${at - 10} l10,10 l-10,10 l-10,-10Z`, class: "mark" }), 10];
    case "sacroiliac":
      return [
        svg("path", { d: `M${x(76)},${at - 40} Q${x(72)},${at - 10} ${x(58)},${at + 14}`, class: "mark seam" }),
        73,
      ];
    default:
      return [jointShape(target.place === "left" ? -1 : 1, at, "mark"), 42];
  }
}

/** From a distance to the midline to a place in the picture. @param {string} place @returns {(d: number) => number} */
const across = (place) => (d) => MID + (place === "left" ? -d : d);

/** The middle of a joint, or the foramen below a vertebra. @param {string} site @param {Height} y */
function middle(site, y) {
  const [upper, lower] = site.split("-");
  return lower ? (y(upper) + y(lower)) / 2 : y(upper) + (upper.startsWith("S") ? foramen(0).y : ROW / 2);
}

/** Medial branch, dorsal ramus, lateral branch; the third occipital nerve is its whole name. @param {Nerve} nerve */
function kindOf({ name, bone }) {
  if (name === "TON") return "";
  return !bone ? " LB" : name === "L5" && bone === "S1" ? " DR" : " MB";
}

/** @param {number | null} line @returns {number | null} */
const colour = (line) => (line === null ? null : line % LINE_COLOURS);

/** Click or Enter leads to the words. @param {SVGGElement} group @param {string} owner @param {Around} around */
function openable(group, owner, around) {
  group.setAttribute("tabindex", "0");
  group.setAttribute("role", "button");
  group.addEventListener("click", () => around.openWords(owner));
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    around.openWords(owner);
  });
  return group;
}
