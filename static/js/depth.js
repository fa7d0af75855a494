// @ts-check
// What stands in the book, added up from the middle outwards.

import { running } from "./levels.js";
import { watch } from "./live.js";
import { fixed, unscaled } from "./numbers.js";
import { nextFrame } from "./rows.js";

/** @param {{places: number, sizePlaces: number, symbol: string, market: string}} about */
export function start({ places, sizePlaces, symbol, market }) {
  const holder = /** @type {HTMLElement} */ (document.getElementById("depth"));
  const note = /** @type {HTMLElement} */ (document.querySelector("[data-depth-note]"));
  /** @type {import("./curve.js").Curve | null} */
  let plot = null;
  let stop = () => {};

  const size = (/** @type {number | null} */ drawn) => (drawn === null ? "–" : fixed(drawn.toFixed(sizePlaces), sizePlaces));
  const price = (/** @type {number} */ drawn) => fixed(drawn.toFixed(places), places);

  async function prepare() {
    const { curve } = await import("./curve.js"); // only who looks at it loads what draws it
    plot ??= curve(holder, {
      label: "Price", x: price, y: (drawn) => size(drawn),
      series: [
        { label: "Bids", stroke: "buy", fill: "buyWash", stepped: -1, value: size },
        { label: "Asks", stroke: "sell", fill: "sellWash", stepped: 1, value: size },
      ],
    });
  }

  function draw(/** @type {import("./book.js").Book} */ book) {
    if (!plot) return;
    const [bids, asks] = [sums(book.bids), sums(book.asks)];
    const below = bids.reverse();
    plot.draw([
      [...below.map(([at]) => at), ...asks.map(([at]) => at)],
      [...below.map(([, sum]) => sum), ...asks.map(() => null)],
      [...below.map(() => null), ...asks.map(([, sum]) => sum)],
    ]);
    holder.dataset.levels = `${bids.length} ${asks.length}`;
    note.textContent = book.gap ? "The book is void until its next snapshot." : `${bids.length} bids, ${asks.length} asks`;
  }
  /** @param {import("./levels.js").Level[]} levels */
  function sums(levels) {
    return running(levels, sizePlaces).map((sum, at) => /** @type {[number, number]} */ ([Number(levels[at][0]), Number(unscaled(sum, sizePlaces))]));
  }

  return {
    async show(/** @type {boolean} */ seen) {
      stop();
      stop = () => {};
      if (!seen) return;
      try {
        await prepare();
      } catch {
        note.textContent = "What draws this did not load. Reload the page.";
        return;
      }
      stop(); // shown twice meanwhile
      stop = watch(`depth:${market}:${symbol}`, (book) => nextFrame(() => draw(book)));
    },
  };
}
