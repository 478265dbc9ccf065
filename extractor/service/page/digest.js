/** The digest of a text, as in the stamps of a result. extractor/text.py is the source; a test holds the two together. */

const DIGITS = 16;

/**
 * Null where the browser makes no digests: it does on https and on this machine (secure contexts) only.
 * @param {string} text @returns {Promise<string | null>}
 */
export async function textDigest(text) {
  if (!globalThis.crypto?.subtle) return null;
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...bytes]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .slice(0, DIGITS);
}
