/** The picture of the spine, seen from behind: joints in the colour of their line, nerves where they run. */

import { el, show, svg } from "./dom.js";
import { LINE_COLOURS } from "./light.js";
import { modelOf, sentences } from "./spine-model.js";

/** @typedef {import("./types.js").Result} Result */
/** @typedef {import("./lines.js").Around} Around */
/** @typedef {import("./spine-model.js").Model} Model */
/** @typedef {import("./spine-model.js").Nerve} Nerve */
/** @typedef {import("./spine-model.js").Target} Target */

const WIDTH = 420;
const MID = WIDTH / 2;
const ROW = 64; // from one vertebra to the next
const GAP = 30; // between two parts of the spine
const SACRUM = 112;
const LABEL = 108; // from the midline to the labels

/** @param {HTMLElement} home @param {Result} result @param {Around} around @returns {boolean} whether there is a picture */
export function drawSpine(home, result, around) {
  const model = modelOf(result);
  const told = sentences(model, result);
  if (!model.rows.length) {
    show(home);
    return false;
  }
  const { heights, total } = layout(model.rows);
  /** @param {string} name @returns {number} */
  const y = (name) => heights.get(name) ?? heights.get("S1") ?? 0;
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${total}`, class: "spine", role: "group", "aria-labelledby": "spine-title spine-desc" },
    svg("title", { id: "spine-title" }, "Joints and nerves treated, seen from behind"),
    svg("desc", { id: "spine-desc" }, ["The patient's left is on the left.", ...told].join(" ")),
    svg("text", { x: 4, y: 14, class: "side-name" }, "LEFT"),
    svg("text", { x: WIDTH - 4, y: 14, class: "side-name end" }, "RIGHT"),
    ...gaps(model.rows, y),
    ...model.rows.flat().map((name) => (name === "S1" ? sacrum(y(name)) : vertebra(name, y(name)))),
    ...model.rows.flatMap((group) => group.slice(1).map((name, i) => emptyJoints((y(group[i]) + y(name)) / 2))),
    ...model.nerves.map((nerve) => drawNerve(nerve, model, y, around)),
    ...model.targets.map((target) => drawTarget(target, result, model, y, around)),
  );
  const note = el("p", { class: "orientation" }, "Seen from behind: the patient\u2019s left is on the left.");
  show(home, el("ul", { class: "spine-told" }, ...told.map((line) => el("li", {}, line))), picture, note);
  return true;
}

/** The middle of each vertebra, from the top. @param {string[][]} rows @returns {{heights: Map<string, number>, total: number}} */
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

/** @param {string[][]} rows @param {(name: string) => number} y */
function gaps(rows, y) {
  return rows.slice(1).map((group) => svg("text", { x: MID, y: y(group[0]) - 42, class: "gap" }, "\u22ee"));
}

/** @param {string} name @param {number} y */
function vertebra(name, y) {
  const reach = name.startsWith("C") ? 62 : 86; // cervical transverse processes are short
  const process = [-1, 1].map((s) => {
    const x = (/** @type {number} */ d) => MID + s * d;
    const d = `M${x(30)},${y - 9} Q${x(reach - 20)},${y - 12} ${x(reach)},${y - 7} Q${x(reach + 4)},${y} ${x(reach - 2)},${y + 4} Q${x(reach - 24)},${y + 5} ${x(30)},${y + 9}Z`;
    return svg("path", { d, class: "bone" });
  });
  const arch = `M${MID - 32},${y - 20} Q${MID},${y - 10} ${MID + 32},${y - 20} L${MID + 34},${y + 20} Q${MID + 20},${y + 14} ${MID + 11},${y + 24} L${MID - 11},${y + 24} Q${MID - 20},${y + 14} ${MID - 34},${y + 20}Z`;
  return svg(
    "g",
    {},
    ...process,
    svg("path", { d: arch, class: "bone" }),
    svg("ellipse", { cx: MID, cy: y + 14, rx: 6, ry: 17, class: "bone spinous" }),
    svg("text", { x: MID, y: y + 1, class: "vertebra-name" }, name),
  );
}

/** @param {number} y */
function sacrum(y) {
  const d = `M${MID - 78},${y - 12} Q${MID - 40},${y - 20} ${MID - 30},${y - 18} Q${MID},${y - 8} ${MID + 30},${y - 18} Q${MID + 40},${y - 20} ${MID + 78},${y - 12} L${MID + 60},${y + 40} Q${MID + 30},${y + 90} ${MID + 12},${y + 94} L${MID - 12},${y + 94} Q${MID - 30},${y + 90} ${MID - 60},${y + 40}Z`;
  const holes = [0, 1, 2, 3].flatMap((n) => [-1, 1].map((s) => svg("circle", { ...foramen(n, s, y), r: 3.5, class: "hole" })));
  return svg("g", {}, svg("path", { d, class: "bone" }), ...holes, svg("text", { x: MID, y: y + 6, class: "vertebra-name" }, "S1"));
}

/** A posterior foramen of the sacrum, S1 first. @param {number} n @param {number} s @param {number} y */
function foramen(n, s, y) {
  return { cx: MID + s * (32 - 5 * n), cy: y + 14 + 20 * n };
}

/** @param {number} y */
function emptyJoints(y) {
  return svg("g", {}, ...[-1, 1].map((s) => jointShape(s, y, "joint")));
}

/** @param {number} s @param {number} y @param {string} kind */
function jointShape(s, y, kind) {
  const x = MID + s * 33;
  return svg("ellipse", { cx: x, cy: y, rx: 9, ry: 12, transform: `rotate(${s * 14} ${x} ${y})`, class: kind });
}

/**
 * A nerve on its bone, with a branch to each of the two joints it supplies.
 * @param {Nerve} nerve @param {Model} model @param {(name: string) => number} y @param {Around} around
 */
function drawNerve(nerve, model, y, around) {
  const s = nerve.place === "left" ? -1 : 1;
  const x = (/** @type {number} */ d) => MID + s * d;
  const parts = [];
  let spot = { x: x(50), y: 0 };
  if (nerve.name === "TON") {
    spot = { x: x(48), y: (y("C2") + y("C3")) / 2 - 7 }; // above the middle, so that its name stands above the joint's
    parts.push(svg("path", { d: `M${x(74)},${spot.y - 7} Q${x(46)},${spot.y} ${x(16)},${spot.y + 7}`, class: "nerve" }));
  } else if (nerve.bone) {
    const bone = y(nerve.bone);
    spot = { x: x(50), y: bone - 6 };
    const cervical = nerve.bone.startsWith("C");
    const root = cervical ? `M${x(76)},${bone - 14}` : `M${x(64)},${bone - ROW / 2 - 2}`;
    parts.push(svg("path", { d: `${root} Q${x(58)},${bone - 16} ${spot.x},${spot.y} Q${x(42)},${bone + 6} ${x(22)},${bone + 10}`, class: "nerve" }));
    for (const target of model.targets) {
      if (target.place !== nerve.place || target.shape !== "facet" || !target.nerves.includes(nerve.name)) continue;
      const joint = middle(target.site, y);
      const from = joint < bone ? `M${spot.x},${spot.y}` : `M${x(43)},${bone + 3}`;
      const d = `${from} Q${x(50)},${(joint + bone) / 2} ${x(38)},${joint + (joint < bone ? 8 : -8)}`;
      parts.push(svg("path", { d, class: "branch", "data-line": colour(target.line) }));
    }
  } else {
    const hole = foramen(Math.max(Number(nerve.name.slice(1)) - 1, 0), s, y("S1"));
    spot = { x: hole.cx, y: hole.cy };
    parts.push(svg("path", { d: `M${hole.cx},${hole.cy} Q${x(44)},${hole.cy - 8} ${x(60)},${hole.cy - 4}`, class: "nerve" }));
  }
  const named = spot.y - (nerve.name === "TON" ? 8 : 1);
  const kind = nerve.name === "TON" ? "" : nerve.name === "L5" ? " DR" : nerve.bone ? " MB" : " LB";
  const supplied = model.targets.filter((t) => t.place === nerve.place && t.nerves.includes(nerve.name)).map((t) => t.owner);
  const label = `Nerve ${nerve.name}, ${nerve.place}${nerve.sure ? "" : " (side not documented)"}, ${nerve.where}`;
  const group = svg(
    "g",
    { class: `thing ${nerve.sure ? "" : "unsure"}`, tabindex: 0, role: "button", "aria-label": label, "data-nerve": nerve.name },
    svg("title", {}, label),
    ...parts,
    svg("path", { d: `M${spot.x},${spot.y} L${x(LABEL - 4)},${named}`, class: "leader" }),
    svg("circle", { cx: spot.x, cy: spot.y, r: 4.5, class: "spot" }),
    svg("text", { x: x(LABEL), y: named + 4, class: `nerve-name ${s < 0 ? "end" : ""}` }, `${nerve.name}${kind}${nerve.sure ? "" : " side?"}`),
  );
  around.lights.addThing([...nerve.owners], group);
  for (const owner of supplied) around.lights.addCompanion(owner, group);
  openable(group, nerve.owners[0], around);
  return group;
}

/** The middle of a joint, or the foramen below a vertebra. @param {string} site @param {(name: string) => number} y */
function middle(site, y) {
  const [upper, lower] = site.split("-");
  return lower ? (y(upper) + y(lower)) / 2 : y(upper) + (upper.startsWith("S") ? 14 : ROW / 2);
}

/**
 * @param {Target} target @param {Result} result @param {Model} model @param {(name: string) => number} y @param {Around} around
 */
function drawTarget(target, result, model, y, around) {
  const s = target.place === "left" ? -1 : 1;
  const x = (/** @type {number} */ d) => MID + s * d;
  const at = target.shape === "sacroiliac" ? y("S1") + 30 : middle(target.site, y);
  // The names of sacral nerves stand beside the joint: its own goes below them.
  const crowded = target.shape === "sacroiliac" && model.nerves.some((nerve) => !nerve.bone && nerve.place === target.place);
  const named = at + (crowded ? 62 : 0);
  const [shape, edge] = targetShape(target, s, at);
  const code = target.line === null ? "no line" : result.lines[target.line].code;
  const site = target.shape === "sacroiliac" ? "SI joint" : target.site;
  const label = `${code}: ${site}, ${target.place}${target.sure ? "" : " (side not documented)"}${target.nerves.length ? `; supplied by ${target.nerves.join(" and ")}` : ""}`;
  const group = svg(
    "g",
    { class: `thing target ${target.sure ? "" : "unsure"} ${target.line === null ? "uncoded" : ""}`, tabindex: 0, role: "button",
      "aria-label": label, "data-line": colour(target.line), "data-site": target.site, "data-place": target.place },
    svg("title", {}, label),
    svg("path", { d: `M${x(edge)},${at} L${x(LABEL - 4)},${named}`, class: "leader" }),
    shape,
    svg("text", { x: x(LABEL), y: named + 4, class: `target-name ${s < 0 ? "end" : ""}` },
      `${site} `, svg("tspan", { class: "target-code" }, target.sure ? code : `${code} side?`)),
  );
  around.lights.addThing([target.owner], group);
  openable(group, target.owner, around);
  return group;
}

/** The mark of a target, and how far its edge is from the midline. @param {Target} target @param {number} s @param {number} at @returns {[SVGElement, number]} */
function targetShape(target, s, at) {
  const x = (/** @type {number} */ d) => MID + s * d;
  switch (target.shape) {
    case "foramen":
      return [svg("rect", { x: x(60) - 7, y: at - 7, width: 14, height: 14, rx: 3, class: "mark" }), 67];
    case "midline":
      return [svg("path", { d: `M${MID},${at - 10} l10,10 l-10,10 l-10,-10Z`, class: "mark" }), 10];
    case "sacroiliac":
      return [svg("path", { d: `M${x(76)},${at - 40} Q${x(72)},${at - 10} ${x(58)},${at + 14}`, class: "mark seam" }), 73];
    default:
      return [jointShape(s, at, "mark"), 42];
  }
}

/** @param {number | null} line @returns {number | null} */
const colour = (line) => (line === null ? null : line % LINE_COLOURS);

/** Click or Enter leads to the words. @param {SVGElement} group @param {string} owner @param {Around} around */
function openable(group, owner, around) {
  group.addEventListener("click", () => around.openWords(owner));
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    around.openWords(owner);
  });
}
