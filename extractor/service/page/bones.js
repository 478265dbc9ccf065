/** The bones of the picture, drawn around the middle of each vertebra. Lengths are units of the picture. */

import { svg } from "./dom.js";

export const WIDTH = 420;
export const MID = WIDTH / 2;
export const ROW = 64; // from one vertebra to the next
export const SACRUM = 112; // from the middle of S1 to the end of the picture

const FACET = 33; // from the midline to a facet joint
const ARCH = "M-32,-20 Q0,-10 32,-20 L34,20 Q20,14 11,24 L-11,24 Q-20,14 -34,20Z";
const PROCESS = "M30,-9 Q66,-12 86,-7 Q90,0 84,4 Q62,5 30,9Z";
const SHORT_PROCESS = "M30,-9 Q42,-12 62,-7 Q66,0 60,4 Q38,5 30,9Z"; // of the neck
const SACRAL_BONE = "M-78,-12 Q-40,-20 -30,-18 Q0,-8 30,-18 Q40,-20 78,-12 L60,40 Q30,90 12,94 L-12,94 Q-30,90 -60,40Z";

/** One vertebra from behind. @param {string} name @param {number} y its middle */
export function vertebra(name, y) {
  const process = name.startsWith("C") ? SHORT_PROCESS : PROCESS;
  return svg(
    "g",
    { transform: `translate(${MID} ${y})` },
    svg("path", { d: process, class: "bone" }),
    svg("path", { d: process, class: "bone", transform: "scale(-1 1)" }),
    svg("path", { d: ARCH, class: "bone" }),
    svg("ellipse", { cx: 0, cy: 14, rx: 6, ry: 17, class: "bone spinous" }),
    svg("text", { x: 0, y: 1, class: "vertebra-name" }, name),
  );
}

/** The sacrum with its foramina. @param {number} y the middle of S1 */
export function sacrum(y) {
  const holes = [0, 1, 2, 3].flatMap((n) =>
    [-1, 1].map((s) => svg("circle", { cx: MID + s * foramen(n).x, cy: y + foramen(n).y, r: 3.5, class: "hole" })),
  );
  return svg(
    "g",
    {},
    svg("path", { d: SACRAL_BONE, class: "bone", transform: `translate(${MID} ${y})` }),
    ...holes,
    svg("text", { x: MID, y: y + 6, class: "vertebra-name" }, "S1"),
  );
}

/** A foramen of the sacrum, from the midline and from the middle of S1. @param {number} n 0 for S1 */
export function foramen(n) {
  return { x: 32 - 5 * n, y: 14 + 20 * n };
}

/** The two facet joints between two vertebrae. @param {number} y their middle */
export function emptyJoints(y) {
  return svg("g", {}, ...[-1, 1].map((s) => jointShape(s, y, "joint")));
}

/** One facet joint. @param {number} s -1 left, 1 right @param {number} y its middle @param {string} kind class */
export function jointShape(s, y, kind) {
  const x = MID + s * FACET;
  return svg("ellipse", { cx: x, cy: y, rx: 9, ry: 12, transform: `rotate(${s * 14} ${x} ${y})`, class: kind });
}
