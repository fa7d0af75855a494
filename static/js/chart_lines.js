// @ts-check
// The chosen indicators on the chart: one series for each line of theirs.

import { LineSeries } from "../vendor/lightweight-charts@5.2.1/lightweight-charts.standalone.production.mjs";
import { lines } from "./indicators.js";

const COLOURS = /** @type {Record<string, "accent" | "caution" | "uncertain" | "healthy" | "muted">} */ ({
  sma: "accent", ema: "caution", vwap: "uncertain", bollinger: "muted", rsi: "healthy",
});

/** @typedef {import("./candles.js").Candle} Candle */

/** @param {any} chart */
export function start(chart) {
  /** @type {Map<string, any[]>} */
  const drawn = new Map();

  /** @param {string[]} names @param {import("./palette.js").Palette} look */
  function choose(names, look) {
    for (const [name, series] of drawn) {
      if (names.includes(name)) continue;
      for (const one of series) chart.removeSeries(one);
      drawn.delete(name);
    }
    for (const name of names) {
      if (!drawn.has(name)) drawn.set(name, lines(name, []).map(({ title, pane }) => chart.addSeries(LineSeries, options(title), pane)));
      for (const one of drawn.get(name) ?? []) one.applyOptions({ color: look[COLOURS[name] ?? "muted"] });
    }
    chart.panes()[1]?.setHeight(90);
  }

  /** All of it: the history has changed. @param {Candle[]} candles */
  function reset(candles) {
    each(candles, (series, line) => series.setData(line.flatMap((value, at) => (value === null ? [] : [{ time: candles[at].time, value }]))));
  }

  /** Only the running candle has moved. @param {Candle[]} candles */
  function update(candles) {
    const last = candles.length - 1;
    each(candles, (series, line) => line[last] !== null && series.update({ time: candles[last].time, value: line[last] }));
  }

  /**
   * @param {Candle[]} candles
   * @param {(series: any, line: import("./indicators.js").Line) => void} draw
   */
  function each(candles, draw) {
    if (!candles.length) return;
    for (const [name, series] of drawn) lines(name, candles).forEach(({ line }, at) => draw(series[at], line));
  }
  return { choose, reset, update };
}

/** @param {string} title */
function options(title) {
  return { title, lineWidth: 1, priceLineVisible: false, lastValueVisible: Boolean(title), crosshairMarkerVisible: false };
}
