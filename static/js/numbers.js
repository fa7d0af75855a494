// @ts-check
// Numbers as the pages write them, from decimal strings, without floats: the twin of trading/written.py.

export const NOTHING = "–";
const MINUS = "−";
const THIN = "\u202f";

/**
 * A decimal string as a whole number of 10^-places, rounded half-even.
 * @param {string} text plain notation, as the desk sends it
 * @param {number} places
 * @returns {bigint}
 */
export function scaled(text, places) {
  const negative = text.startsWith("-");
  const [whole, fraction = ""] = text.replace(/^[+-]/, "").split(".");
  const kept = fraction.slice(0, places).padEnd(places, "0");
  const rest = fraction.slice(places);
  let number = BigInt(whole + kept || "0");
  const half = rest.charAt(0);
  const more = /[1-9]/.test(rest.slice(1));
  if (half > "5" || (half === "5" && (more || number % 2n === 1n))) number += 1n;
  return negative ? -number : number;
}

/**
 * The decimal string of a scaled number.
 * @param {bigint} number
 * @param {number} places
 */
export function unscaled(number, places) {
  const digits = (number < 0n ? -number : number).toString().padStart(places + 1, "0");
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return number < 0n ? `-${text}` : text;
}

/**
 * `-1234.5` with 2 places is `−1 234.50`.
 * @param {string | null | undefined} text
 * @param {number} places
 * @param {boolean} [sign] a plus for gains
 */
export function fixed(text, places, sign = false) {
  if (text === null || text === undefined || text === "") return NOTHING;
  const number = scaled(text, places);
  const [whole, fraction] = unscaled(number < 0n ? -number : number, places).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN);
  const bare = fraction ? `${grouped}.${fraction}` : grouped;
  if (number < 0n) return MINUS + bare;
  return sign && number > 0n ? `+${bare}` : bare;
}

/**
 * As many decimals as the number has.
 * @param {string} text
 */
export function free(text) {
  const fraction = (text.split(".")[1] ?? "").replace(/0+$/, "");
  return fixed(text, fraction.length);
}

/**
 * A share in percent: `0.0000123` with 5 places is `+0.00123 %`.
 * @param {string | null | undefined} text
 * @param {number} places
 */
export function rate(text, places) {
  if (!text) return NOTHING;
  return `${fixed(unscaled(scaled(text, places + 2), places), places, true)} %`;
}

/**
 * Three or four figures and a letter: `156.4 M`.
 * @param {string | null | undefined} text
 */
export function short(text) {
  if (!text) return NOTHING;
  const length = text.replace(/^-/, "").split(".")[0].length;
  for (const [size, letter] of /** @type {[number, string][]} */ ([[9, "B"], [6, "M"], [3, "k"]])) {
    if (length > size) return `${fixed(shifted(text, size), 1)} ${letter}`;
  }
  return fixed(text, 1);
}

/**
 * Divided by 10^size, exactly.
 * @param {string} text
 * @param {number} size
 */
function shifted(text, size) {
  const fraction = (text.split(".")[1] ?? "").length;
  return unscaled(scaled(text, fraction), fraction + size);
}

/**
 * What a person typed as a plain decimal string; empty when it is none.
 * @param {string} typed
 */
export function typed(typed) {
  let bare = typed.replace(/[\s\u2007\u2009\u202f]/g, "");
  if (/^\d{1,3}(,\d{3})+(\.\d+)?$/.test(bare)) bare = bare.replaceAll(",", "");
  return /^(\d+\.?\d*|\.\d+)$/.test(bare) ? bare.replace(/\.$/, "").replace(/^\./, "0.") : "";
}

/** @param {string} text */
export function sign(text) {
  if (/^-.*[1-9]/.test(text)) return -1;
  return /[1-9]/.test(text) ? 1 : 0;
}

/** @param {string | undefined} step */
export function placesOf(step) {
  return (step?.split(".")[1] ?? "").replace(/0+$/, "").length;
}
