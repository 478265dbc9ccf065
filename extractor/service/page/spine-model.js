/** What the picture of the spine has to show, read from a result: pure functions, no drawing. */

import { boneOfNerve, nervesOfJoint, placeOfNerve, spine } from "./anatomy.js";

/** @typedef {import("./types.js").Result} Result */
/** @typedef {import("./types.js").Side} Side */
/** @typedef {"left" | "right" | "middle"} Place */
/**
 * `shape` is where a joint's mark goes. `line` is null for a joint that was treated and has no line. `sure` is false
 * where the note gives no side: it is drawn on both.
 * @typedef {{shape: "facet" | "foramen" | "midline" | "sacroiliac", site: string, place: Place, sure: boolean,
 *   line: number | null, owner: string, nerves: string[]}} Target
 * @typedef {{name: string, place: Exclude<Place, "middle">, sure: boolean, bone: string | null, where: string,
 *   facet: boolean, owners: string[]}} Nerve  `facet`: treated for the facet joints, not for the sacroiliac joint
 * @typedef {{six: boolean, rows: string[][], targets: Target[], nerves: Nerve[]}} Model
 */

/** @param {Result} result @returns {Model} */
export function modelOf(result) {
  const six = JSON.stringify([result.lines.map((l) => l.joints), result.procedures.map((p) => [p.joints, p.nerves].flat().map((s) => s.site))]).includes("L6");
  const targets = [...lineTargets(result, six), ...uncoded(result, six)];
  const nerves = nervesOf(result, six);
  return { six, rows: rowsOf(targets, nerves, six), targets, nerves };
}

/** @param {Result} result @param {boolean} six @returns {Target[]} */
function lineTargets(result, six) {
  return result.lines.flatMap((line, index) => {
    const shape = shapeOf(line.rule);
    const sites = shape === "sacroiliac" ? ["S1"] : line.joints;
    return !shape
      ? []
      : sites.filter((site) => isSite(site, six)).flatMap((site) =>
          placesOf(shape === "midline" ? "middle" : line.side).map((place) => ({
            shape, site, place, sure: line.side !== "unspecified" || shape === "midline", line: index,
            owner: `l${index}`, nerves: shape === "facet" ? nervesOfJoint(site, six) : [],
          })),
        );
  });
}

/** Facet joints that were treated and carry no line, as after a stopped procedure. @param {Result} result @param {boolean} six @returns {Target[]} */
function uncoded(result, six) {
  const coded = new Set(result.lines.flatMap((line) => line.joints));
  return result.procedures.flatMap((procedure, p) =>
    procedure.family !== "facet" ? [] : procedure.joints.flatMap((joint, j) =>
      coded.has(joint.site) || !isSite(joint.site, six) ? [] : placesOf(sideOf(joint.side, procedure.side)).map((place) => ({
        shape: /** @type {const} */ ("facet"), site: joint.site, place, sure: sideOf(joint.side, procedure.side) !== "unspecified",
        line: null, owner: `p${p}j${j}`, nerves: [],
      }))));
}

/** @param {Result} result @param {boolean} six @returns {Nerve[]} */
function nervesOf(result, six) {
  /** @type {Map<string, Nerve>} */
  const found = new Map();
  result.procedures.forEach((procedure, p) =>
    procedure.nerves.forEach((site, n) => {
      const side = sideOf(site.side, procedure.side);
      const name = site.site;
      if (name !== "TON" && name !== "C8" && !isSite(name, six)) return;
      for (const place of placesOf(side)) {
        if (place === "middle") continue;
        const key = `${name} ${place}`;
        const known = found.get(key);
        const facet = procedure.family === "facet";
        if (known) {
          known.owners.push(`p${p}n${n}`);
          known.facet ||= facet;
        }
        else found.set(key, { name, place, sure: side !== "unspecified", bone: boneOfNerve(name, six),
          where: placeOfNerve(name, six), facet, owners: [`p${p}n${n}`] });
      }
    }));
  return [...found.values()];
}

/** Where the mark of a line goes, by its rule; null for lines without a place at the spine. @param {string} rule @returns {Target["shape"] | null} */
function shapeOf(rule) {
  if (/^(facet|ultrasound|denervation)-/.test(rule)) return "facet";
  if (rule.startsWith("transforaminal-")) return "foramen";
  if (rule.startsWith("epidural-")) return "midline";
  return /^(sacroiliac-joint|sacral-)/.test(rule) ? "sacroiliac" : null;
}

/** @param {Side} own @param {Side} whole @returns {Side} */
const sideOf = (own, whole) => (own === "unspecified" ? whole : own);

/** @param {Side | "middle"} side @returns {Place[]} */
function placesOf(side) {
  return side === "left" || side === "right" || side === "middle" ? [side] : ["left", "right"];
}

/** @param {string} site @param {boolean} six */
function isSite(site, six) {
  const known = spine(six);
  return site.split("-").every((name) => known.includes(name));
}

/**
 * The vertebrae to draw, in groups without a gap: those concerned and one neighbour on each side. The sacrum is S1.
 * @param {Target[]} targets @param {Nerve[]} nerves @param {boolean} six @returns {string[][]}
 */
function rowsOf(targets, nerves, six) {
  const order = spine(six);
  const last = order.indexOf("S1");
  /** @type {Set<number>} */
  const wanted = new Set();
  /** @param {string} name @param {number} reach */
  const want = (name, reach = 1) => {
    const at = Math.min(order.indexOf(name), last);
    for (let i = at - reach; i <= at + reach; i += 1) if (at >= 0 && i >= 0 && i <= last) wanted.add(i);
  };
  for (const target of targets) for (const name of target.site.split("-")) want(name);
  for (const nerve of nerves) want(nerve.bone ?? nerve.name);
  /** @type {string[][]} */
  const groups = [];
  [...wanted].sort((a, b) => a - b).forEach((at, i, all) => {
    if (i && all[i - 1] === at - 1) groups[groups.length - 1].push(order[at]);
    else groups.push([order[at]]);
  });
  return groups;
}

/**
 * The picture in sentences, side by side and nerve by nerve: its text alternative.
 * @param {Model} model @param {Result} result @returns {string[]}
 */
export function sentences(model, result) {
  /** @type {string[]} */
  const told = [];
  for (const place of /** @type {const} */ (["left", "right"])) {
    const name = place === "left" ? "Left" : "Right";
    const nerves = model.nerves.filter((nerve) => nerve.place === place);
    const joints = model.targets.filter((t) => t.place === place && t.shape === "facet" && t.line !== null);
    const have = new Set(nerves.map((nerve) => nerve.name));
    const supplied = joints.filter((joint) => joint.nerves.length && joint.nerves.every((nerve) => have.has(nerve)));
    const entered = joints.filter((joint) => !supplied.includes(joint));
    const facet = nerves.filter((nerve) => nerve.facet);
    const sacral = nerves.filter((nerve) => !nerve.facet);
    const unsure = [...nerves, ...joints].some((item) => !item.sure) ? " (side not documented)" : "";
    if (facet.length) {
      const gives = supplied.length ? `supply ${count(supplied.length, "joint")} (${names(supplied)})` : "complete no facet joint";
      const verb = facet.length === 1 ? gives.replace(/^(supply|complete)/, (w) => (w === "supply" ? "supplies" : "completes")) : gives;
      told.push(`${name}: ${count(facet.length, "nerve")} (${facet.map((n) => n.name).join(", ")}) ${verb}${unsure}.`);
    }
    if (sacral.length) told.push(`${name}: ${count(sacral.length, "nerve")} of the sacroiliac joint (${sacral.map((n) => n.name).join(", ")})${unsure}.`);
    if (entered.length) told.push(`${name}: ${count(entered.length, "joint")} treated (${names(entered)})${unsure}.`);
  }
  for (const target of model.targets) {
    const at = `${target.place === "middle" ? "" : `${target.place} `}${target.shape === "sacroiliac" ? "sacroiliac joint" : target.site}`;
    if (target.line === null) told.push(`Treated without a line: ${at}.`);
    else if (target.shape !== "facet") told.push(`${result.lines[target.line].code}: ${at}${SHAPE[target.shape]}.`);
  }
  return [...new Set(told)];
}

/** @type {Record<string, string>} */
const SHAPE = { foramen: " foramen", midline: ", in the midline", sacroiliac: "" };

/** @param {Target[]} targets */
const names = (targets) => [...new Set(targets.map((target) => target.site))].join(", ");

/** @param {number} n @param {string} what */
const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
