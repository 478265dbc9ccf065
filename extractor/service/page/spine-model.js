/** What the picture of the spine has to show, read from a result: pure functions, no drawing. */

import { boneOfNerve, nervesOfJoint, placeOfNerve, spine } from "./anatomy.js";

/** @typedef {import("./types.js").Result} Result */
/** @typedef {import("./types.js").Side} Side */
/** @typedef {"left" | "right" | "middle"} Place */
/** @typedef {"facet" | "foramen" | "midline" | "sacroiliac"} Shape  where the mark of a target goes */
/**
 * `line` is null for a joint that was treated and has no line. `sure` is false where the note gives no side: it is
 * drawn on both. `nerves` are those that supply a facet joint.
 * @typedef {{shape: Shape, site: string, place: Place, sure: boolean, line: number | null, owner: string,
 *   nerves: string[]}} Target
 * `facet`: treated for the facet joints, not for the sacroiliac joint. `bone` is null for a sacral nerve.
 * @typedef {{name: string, place: Place, sure: boolean, bone: string | null, where: string, facet: boolean,
 *   owners: string[]}} Nerve
 * `rows` are the vertebrae to draw, in groups without a gap.
 * @typedef {{rows: string[][], targets: Target[], nerves: Nerve[]}} Model
 */

/** @param {Result} result @returns {Model} */
export function modelOf(result) {
  const six = namesSix(result);
  const targets = [...lineTargets(result, six), ...uncoded(result, six)];
  const nerves = nervesOf(result, six);
  return { rows: rowsOf(targets, nerves, six), targets, nerves };
}

/** Whether the note speaks of a sixth lumbar vertebra. @param {Result} result @returns {boolean} */
function namesSix(result) {
  const sites = result.procedures.flatMap((p) => [...p.joints, ...p.nerves].map((site) => site.site));
  return [...sites, ...result.lines.flatMap((line) => line.joints)].some((site) => site.includes("L6"));
}

/** @param {Result} result @param {boolean} six @returns {Target[]} */
function lineTargets(result, six) {
  /** @type {Target[]} */
  const targets = [];
  result.lines.forEach((line, index) => {
    const shape = shapeOf(line.rule);
    if (!shape) return;
    const sites = shape === "sacroiliac" ? ["S1"] : line.joints.filter((site) => isSite(site, six));
    const sure = shape === "midline" || line.side !== "unspecified";
    for (const site of sites) {
      const nerves = shape === "facet" ? nervesOfJoint(site, six) : [];
      for (const place of shape === "midline" ? [/** @type {Place} */ ("middle")] : placesOf(line.side)) {
        targets.push({ shape, site, place, sure, line: index, owner: `l${index}`, nerves });
      }
    }
  });
  return targets;
}

/**
 * Facet joints that were treated and carry no line, as after a stopped procedure.
 * @param {Result} result @param {boolean} six @returns {Target[]}
 */
function uncoded(result, six) {
  const coded = new Set(result.lines.flatMap((line) => line.joints));
  /** @type {Target[]} */
  const targets = [];
  result.procedures.forEach((procedure, p) => {
    if (procedure.family !== "facet") return;
    procedure.joints.forEach(({ site, side }, j) => {
      if (coded.has(site) || !isSite(site, six)) return;
      const known = side === "unspecified" ? procedure.side : side;
      for (const place of placesOf(known)) {
        const sure = known !== "unspecified";
        targets.push({ shape: "facet", site, place, sure, line: null, owner: `p${p}j${j}`, nerves: [] });
      }
    });
  });
  return targets;
}

/**
 * Each nerve once a side, however many procedures name it.
 * @param {Result} result @param {boolean} six @returns {Nerve[]}
 */
function nervesOf(result, six) {
  /** @type {Map<string, Nerve>} */
  const found = new Map();
  result.procedures.forEach((procedure, p) => {
    procedure.nerves.forEach(({ site: name, side }, n) => {
      if (name !== "TON" && name !== "C8" && !isSite(name, six)) return;
      const known = side === "unspecified" ? procedure.side : side;
      for (const place of placesOf(known)) {
        const nerve = found.get(`${name} ${place}`) ?? {
          name,
          place,
          sure: known !== "unspecified",
          bone: boneOfNerve(name, six),
          where: placeOfNerve(name, six),
          facet: false,
          owners: [],
        };
        nerve.facet ||= procedure.family === "facet";
        nerve.owners.push(`p${p}n${n}`);
        found.set(`${name} ${place}`, nerve);
      }
    });
  });
  return [...found.values()];
}

/**
 * The shape of a line, by its rule; null: it has no place at the spine.
 * @param {string} rule @returns {Shape | null}
 */
function shapeOf(rule) {
  if (/^(facet|ultrasound|denervation)-/.test(rule)) return "facet";
  if (rule.startsWith("transforaminal-")) return "foramen";
  if (rule.startsWith("epidural-")) return "midline";
  return /^(sacroiliac-joint|sacral-)/.test(rule) ? "sacroiliac" : null;
}

/** @param {Side} side @returns {Place[]} */
function placesOf(side) {
  return side === "left" || side === "right" ? [side] : ["left", "right"];
}

/** @param {string} site @param {boolean} six @returns {boolean} */
function isSite(site, six) {
  const known = spine(six);
  return site.split("-").every((name) => known.includes(name));
}

/**
 * The vertebrae concerned with one neighbour on each side; the sacrum counts as S1.
 * @param {Target[]} targets @param {Nerve[]} nerves @param {boolean} six @returns {string[][]}
 */
function rowsOf(targets, nerves, six) {
  const order = spine(six);
  const last = order.indexOf("S1");
  const names = [...targets.flatMap((target) => target.site.split("-")), ...nerves.map((nerve) => nerve.bone ?? "S1")];
  const wanted = new Set(
    names.flatMap((name) => {
      const at = Math.min(order.indexOf(name), last);
      return [at - 1, at, at + 1].filter((place) => at >= 0 && place >= 0 && place <= last);
    }),
  );
  /** @type {string[][]} */
  const groups = [];
  order.forEach((name, at) => {
    if (!wanted.has(at)) return;
    if (wanted.has(at - 1)) groups[groups.length - 1].push(name);
    else groups.push([name]);
  });
  return groups;
}
