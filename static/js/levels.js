// @ts-check
// The book's levels, gathered and added up in whole numbers of ticks and lots. Pure.

import { placesOf, scaled, unscaled } from "./numbers.js";

/** @typedef {[string, string]} Level price and size, as the desk sends them */

/**
 * Levels of one side, best first, gathered into multiples of `group` ticks. A bid goes down to its multiple and an ask
 * up, so that no level looks better than it is.
 * @param {Level[]} levels
 * @param {"bids" | "asks"} side
 * @param {string} tick
 * @param {number} group ticks a level
 * @param {number} sizePlaces
 * @returns {Level[]}
 */
export function gathered(levels, side, tick, group, sizePlaces) {
  if (group === 1) return levels;
  const places = placesOf(tick);
  const step = scaled(tick, places) * BigInt(group);
  /** @type {Map<bigint, bigint>} */
  const sums = new Map();
  for (const [price, size] of levels) {
    const whole = scaled(price, places);
    const down = (whole / step) * step;
    const at = side === "bids" || down === whole ? down : down + step;
    sums.set(at, (sums.get(at) ?? 0n) + scaled(size, sizePlaces));
  }
  return [...sums].map(([price, sum]) => [unscaled(price, places), unscaled(sum, sizePlaces)]);
}

/**
 * Sizes by price, of orders of ours, gathered as the book is.
 * @param {{side: string, price: string, open: string}[]} orders
 * @param {string} tick
 * @param {number} group
 * @param {number} sizePlaces
 * @returns {Map<string, string>} by plain price
 */
export function ownSizes(orders, tick, group, sizePlaces) {
  const found = new Map();
  for (const [side, word] of /** @type {["bids" | "asks", string][]} */ ([["bids", "buy"], ["asks", "sell"]])) {
    const ours = /** @type {Level[]} */ (orders.filter((order) => order.side === word && order.price).map((order) => [order.price, order.open]));
    for (const [price, size] of gathered(ours, side, tick, group, sizePlaces)) {
      const key = bare(price);
      const before = scaled(found.get(key) ?? "0", sizePlaces);
      found.set(key, bare(unscaled(before + scaled(size, sizePlaces), sizePlaces)));
    }
  }
  return found;
}

/**
 * A decimal string without zeros that say nothing: how prices are compared as text.
 * @param {string} text
 */
export function bare(text) {
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

/**
 * The sum of everything up to each level.
 * @param {Level[]} levels
 * @param {number} sizePlaces
 * @returns {bigint[]} in lots of 10^-sizePlaces
 */
export function running(levels, sizePlaces) {
  let sum = 0n;
  return levels.map(([, size]) => (sum += scaled(size, sizePlaces)));
}

/**
 * The rows of a ladder: every multiple of the step around a middle, highest first.
 * @param {bigint} middle in units of 10^-places
 * @param {bigint} step
 * @param {number} rows
 * @param {number} places
 * @returns {string[]} prices, bare; empty where the price would not be one
 */
export function rungs(middle, step, rows, places) {
  const top = (middle / step + BigInt(Math.floor(rows / 2))) * step;
  return Array.from({ length: rows }, (_, row) => {
    const price = top - BigInt(row) * step;
    return price > 0n ? bare(unscaled(price, places)) : "";
  });
}

/**
 * A price on the chart, as drawn, at the nearest tick.
 * @param {number} drawn
 * @param {string} tick
 */
export function atTick(drawn, tick) {
  const places = placesOf(tick);
  const ticks = BigInt(Math.max(1, Math.round(drawn / Number(tick))));
  return bare(unscaled(ticks * scaled(tick, places), places));
}
