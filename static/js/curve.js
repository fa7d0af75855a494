// @ts-check
// A curve in a box: uPlot in the page's colours, as large as its holder. Its numbers are floats: they are only drawn.
// This module, and uPlot with it, is loaded when the first curve is looked at.

import uPlot from "../vendor/uplot@1.6.32/uPlot.esm.js";
import { dress } from "./palette.js";

/** @typedef {{label: string, stroke: "accent" | "buy" | "sell", fill: "accentWash" | "buyWash" | "sellWash", stepped?: 1 | -1, value: (drawn: number | null) => string}} Series */

/** @typedef {ReturnType<typeof curve>} Curve */

/**
 * @param {HTMLElement} holder
 * @param {{x: (drawn: number) => string, axis?: (drawn: number[]) => string[], label: string, y: (drawn: number) => string, series: Series[]}} how
 */
export function curve(holder, how) {
  /** @type {any} */
  let plot = null;
  /** @type {any[]} */
  let data = [[], ...how.series.map(() => [])];
  const size = () => ({ width: Math.max(120, holder.clientWidth), height: Math.max(80, holder.clientHeight - 30) }); // the legend below

  dress((look) => {
    plot?.destroy();
    const axis = { stroke: look.muted, grid: { stroke: look.faint, width: 1 }, ticks: { show: false }, font: `11px ${look.font}` };
    plot = new uPlot({
      ...size(),
      scales: { x: { time: false } },
      cursor: { drag: { x: false, y: false }, points: { size: 6 } },
      axes: [
        { ...axis, values: (/** @type {any} */ _u, /** @type {number[]} */ at) => once(how.axis?.(at) ?? at.map(how.x)) },
        { ...axis, side: 1, size: 72, values: (/** @type {any} */ _u, /** @type {number[]} */ at) => at.map(how.y) },
      ],
      series: [
        { label: how.label, value: (/** @type {any} */ _u, /** @type {number | null} */ at) => (at === null ? "–" : how.x(at)) },
        ...how.series.map(({ label, stroke, fill, stepped, value }) => ({
          label, stroke: look[stroke], fill: look[fill], width: 1.5, points: { show: false },
          ...(stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: stepped }) } : {}),
          value: (/** @type {any} */ _u, /** @type {number | null} */ at) => value(at),
        })),
      ],
    }, data, holder);
  });
  new ResizeObserver(() => holder.clientWidth && plot.setSize(size())).observe(holder);
  return { draw(/** @type {any[]} */ fresh) { data = fresh; plot.setData(fresh); } };
}

/**
 * Each word where it begins: a mark a second says the same minute many times.
 * @param {string[]} words
 */
function once(words) {
  return words.map((word, at) => (word === words[at - 1] ? "" : word));
}
