/**
 * Vertebrae, joints and the medial branches that supply them, for the picture and for checking what a reviewer types.
 * extractor/anatomy.py is the source; a test holds the two together.
 */

/** @param {string} letter @param {number} count */
const region = (letter, count) => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);

/** From the skull down. L6 is there in a spine of six lumbar vertebrae only: see `spine`. */
const PLAIN = [...region("C", 7), ...region("T", 12), ...region("L", 5), ...region("S", 5)];

/** The vertebrae in order, with L6 where the note speaks of one. @param {boolean} six @returns {string[]} */
export function spine(six) {
  return six ? PLAIN.flatMap((name) => (name === "L5" ? ["L5", "L6"] : [name])) : PLAIN;
}

/**
 * The vertebra on which a nerve lies: the transverse process it crosses, the pillar it rounds, or the sacral ala. The
 * third occipital nerve crosses the joint C2-C3 itself. Null for what has no such place.
 * @param {string} nerve @param {boolean} six @returns {string | null}
 */
export function boneOfNerve(nerve, six) {
  if (nerve === "C8") return "T1";
  if (nerve === "TON") return "C3";
  const order = spine(six);
  const place = order.indexOf(nerve);
  if (place < 0 || nerve.startsWith("S")) return null;
  return nerve.startsWith("C") ? nerve : order[place + 1];
}

/** How the place of a nerve is called. @param {string} nerve @param {boolean} six @returns {string} */
export function placeOfNerve(nerve, six) {
  if (nerve === "TON") return "across the joint C2-C3";
  const bone = boneOfNerve(nerve, six);
  if (!bone) return "at its sacral foramen";
  if (bone === "S1") return "on the sacral ala";
  return bone.startsWith("C") ? `on the articular pillar of ${bone}` : `on the transverse process of ${bone}`;
}

/**
 * The nerves of a joint: two, one for C2-C3 (the third occipital nerve), none above it or below S1.
 * @param {string} joint @param {boolean} six @returns {string[]}
 */
export function nervesOfJoint(joint, six) {
  const [upper, lower] = joint.split("-");
  if (joint === "C2-C3") return ["TON"];
  if (upper === "C1" || upper.startsWith("S")) return [];
  if (upper === "C7") return ["C7", "C8"];
  if (upper.startsWith("C")) return [upper, lower];
  if (upper === "T1") return ["C8", "T1"];
  const order = spine(six);
  return [order[order.indexOf(upper) - 1], upper];
}

/**
 * The usual name of a joint or foramen: "L4-5" and "l4/l5" are "L4-L5", "T12-L1" and "S1" stay. Null for what is none.
 * @param {string} typed @returns {string | null}
 */
export function siteName(typed) {
  const found = /^([CTLS])(\d{1,2})(?:[-/\u2013]([CTLS])?(\d{1,2}))?$/.exec(typed.trim().toUpperCase());
  if (!found) return null;
  const upper = found[1] + Number(found[2]);
  const six = typed.includes("6") && upper.startsWith("L");
  const order = spine(six);
  const place = order.indexOf(upper);
  if (place < 0) return null;
  if (!found[4]) return upper;
  const next = order[place + 1];
  // "T12-1" and "L5-1" leave the letter of the next region to the reader.
  const lower = (found[3] ?? (next && Number(next.slice(1)) === Number(found[4]) ? next[0] : "?")) + Number(found[4]);
  return lower === next && !upper.startsWith("S") ? `${upper}-${lower}` : null;
}
