// @ts-check
// What stands in the book, added up from the middle outwards.

import { running } from "./levels.js";
import { watch } from "./live.js";
import { fixed, unscaled } from "./numbers.js";
import { nextFrame } from "./rows.js";

/** @typedef {{places: number, sizePlaces: number, symbol: string, market: string}} About */

/** @param {About} about */
export function start(about) {
  const note = /** @type {HTMLElement} */ (document.querySelector("[data-depth-note]"));
  const holder = /** @type {HTMLElement} */ (document.getElementById("depth"));
  /** @type {import("./curve.js").Curve | null} */
  let plot = null;
  let stop = () => {};

  return {
    async show(/** @type {boolean} */ seen) {
      stop();
      stop = () => {};
      if (!seen) return;
      try {
        const { curve } = await import("./curve.js"); // only who looks at it loads what draws it
        plot ??= curve(holder, look(about));
      } catch {
        note.textContent = "What draws this did not load. Reload the page.";
        return;
      }
      stop(); // shown twice meanwhile
      const drawn = plot;
      stop = watch(`depth:${about.market}:${about.symbol}`, (book) => nextFrame(() => draw(drawn, book, about.sizePlaces)));
    },
  };

  /**
   * @param {import("./curve.js").Curve} curve
   * @param {import("./book.js").Book} book
   * @param {number} sizePlaces
   */
  function draw(curve, book, sizePlaces) {
    const below = sums(book.bids, sizePlaces).reverse();
    const above = sums(book.asks, sizePlaces);
    curve.draw([
      [...below.map(([at]) => at), ...above.map(([at]) => at)],
      [...below.map(([, sum]) => sum), ...above.map(() => null)],
      [...below.map(() => null), ...above.map(([, sum]) => sum)],
    ]);
    holder.dataset.levels = `${below.length} ${above.length}`;
    note.textContent = book.gap ? "The book is void until its next snapshot." : `${below.length} bids, ${above.length} asks`;
  }
}

/**
 * @param {About} about
 * @returns {{label: string, x: (drawn: number) => string, y: (drawn: number) => string, series: import("./curve.js").Series[]}}
 */
function look({ places, sizePlaces }) {
  const size = (/** @type {number | null} */ drawn) => (drawn === null ? "–" : fixed(drawn.toFixed(sizePlaces), sizePlaces));
  const price = (/** @type {number} */ drawn) => fixed(drawn.toFixed(places), places);
  return {
    label: "Price", x: price, y: size,
    series: [
      { label: "Bids", stroke: "buy", fill: "buyWash", stepped: -1, value: size },
      { label: "Asks", stroke: "sell", fill: "sellWash", stepped: 1, value: size },
    ],
  };
}

/**
 * @param {import("./levels.js").Level[]} levels
 * @param {number} sizePlaces
 */
function sums(levels, sizePlaces) {
  return running(levels, sizePlaces).map((sum, at) => /** @type {[number, number]} */ ([Number(levels[at][0]), Number(unscaled(sum, sizePlaces))]));
}
