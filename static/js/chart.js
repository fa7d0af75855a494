// @ts-check
// Candles with history from the desk and the last one moved by live trades, or by mark or index. The one place, with its
// neighbours chart_own.js and chart_lines.js, where prices are floats: they are only drawn.

import {
  CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, createChart,
} from "../vendor/lightweight-charts@5.2.1/lightweight-charts.standalone.production.mjs";
import { History } from "./candles.js";
import * as ownLines from "./chart_own.js";
import * as indicators from "./chart_lines.js";
import { now } from "./live.js";
import { fixed } from "./numbers.js";
import { fillsFrom } from "./own.js";
import { dress } from "./palette.js";
import { nextFrame } from "./rows.js";

/** @typedef {import("./candles.js").Candle} Candle */
/** @typedef {import("./tape.js").Trade} Trade */

const OVER = 1500; // milliseconds after which the venue has surely closed a candle
const KEPT_TRADES = 15000; // milliseconds of trades kept for an answer that is on its way

/** @param {{places: number, tick: string, symbol: string}} options */
export function start({ places, tick }) {
  const holder = /** @type {HTMLElement} */ (document.getElementById("chart"));
  const note = /** @type {HTMLElement} */ (document.querySelector("[data-chart-note]"));
  const chart = createChart(holder, { autoSize: true, layout: { attributionLogo: false } }); // the logo would bring an inline style
  const candles = chart.addSeries(CandlestickSeries, { priceFormat: { type: "price", precision: places, minMove: Number(tick) } });
  const volume = chart.addSeries(HistogramSeries, { priceFormat: { type: "volume" }, priceScaleId: "volume", lastValueVisible: false, priceLineVisible: false });
  chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
  candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.2 } });
  const studies = indicators.start(chart);

  let history = new History(300);
  let resolution = document.querySelector("[data-resolution][aria-pressed=true]")?.getAttribute("data-resolution") ?? "5m";
  let source = "trade";
  let asked = 0; // rises with every other resolution or source: older answers are dropped
  let fetching = false;
  /** @type {Trade[]} */
  let recent = [];
  /** @type {import("./palette.js").Palette} */
  let look;

  const mine = ownLines.start({ chart, candles, holder, tick, seconds: () => history.seconds, look: () => look });
  dress((colours) => {
    look = colours;
    chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: look.panel }, textColor: look.muted, fontFamily: look.font, fontSize: 11, panes: { separatorColor: look.line } },
      grid: { vertLines: { color: look.faint }, horzLines: { color: look.faint } },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderColor: look.line },
      timeScale: { borderColor: look.line, timeVisible: true, secondsVisible: false, rightOffset: 6 },
      localization: { locale: "en-GB", priceFormatter: (/** @type {number} */ price) => fixed(price.toFixed(places), places) },
    });
    candles.applyOptions({ upColor: look.gain, downColor: look.loss, wickUpColor: look.gain, wickDownColor: look.loss, borderVisible: false });
    studies.choose(chosen(), look);
    draw();
    mine.draw();
  });

  /** @param {Record<string, string>} wish */
  async function fetched(wish) {
    const url = (holder.dataset.candles ?? "").replace("RESOLUTION", resolution);
    const answer = await fetch(`${url}?${new URLSearchParams({ source, ...wish })}`, { signal: AbortSignal.timeout(10000) });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.message);
    return { rows: body.candles.map(candleOf), seconds: body.seconds, askedAt: body.asked_at, beginning: body.beginning };
  }

  async function load() {
    const asking = ++asked;
    try {
      const page = await fetched({});
      if (asking !== asked) return;
      history = new History(page.seconds);
      history.renew(page.rows);
      catchUp(page.askedAt);
      note.textContent = page.rows.length ? "" : "No trades in this time yet.";
      draw();
      frame();
    } catch {
      if (asking === asked) note.textContent = "The chart's history did not arrive. Trying again.";
      setTimeout(() => asking === asked && load(), 4000);
    }
  }

  /** The history before the first candle, once somebody scrolls near it. */
  async function earlier() {
    if (fetching || history.complete || !history.first) return;
    const asking = asked;
    fetching = true;
    try {
      const page = await fetched({ before: String(history.first.time) });
      if (asking !== asked) return;
      history.complete = page.beginning;
      if (history.prepend(page.rows)) draw();
      note.textContent = page.beginning ? "This is the beginning." : "";
    } catch {
      if (asking === asked) note.textContent = "Earlier candles did not arrive. Scroll again.";
    } finally {
      fetching = false;
    }
  }
  chart.timeScale().subscribeVisibleLogicalRangeChange((/** @type {{from: number} | null} */ range) => { if (range && range.from < 10) earlier(); });

  /** The newest ones as the venue has them: a candle is over, or the page was not looked at for a while. */
  async function renew() {
    const { last } = history;
    if (!last) return load();
    const asking = asked;
    try {
      const page = await fetched({ since: String(last.time - history.seconds) });
      if (asking !== asked) return;
      if (!history.renew(page.rows)) return load();
      catchUp(page.askedAt);
      draw();
    } catch {
      note.textContent = "The chart's last candles are drawn from live trades alone.";
    }
  }

  /** Trades that came while the answer was on its way. @param {number} askedAt epoch milliseconds */
  function catchUp(askedAt) {
    if (source === "trade") for (const one of recent) if (one.at > askedAt) history.see(Number(one.price), one.at, Number(one.size));
  }

  /** All of it anew. */
  function draw() {
    candles.setData(history.all);
    volume.setData(history.all.map(bar));
    studies.reset(history.all);
    holder.dataset.candlesDrawn = String(history.all.length);
    holder.dataset.firstCandle = String(history.first?.time ?? "");
    if (history.first) fillsFrom(history.first.time);
  }

  function frame() {
    const count = history.all.length;
    chart.timeScale().applyOptions({ timeVisible: history.seconds < 86400 });
    if (count > 160) chart.timeScale().setVisibleLogicalRange({ from: count - 140, to: count + 6 });
    else chart.timeScale().fitContent();
  }

  /** @param {Candle} candle */
  function bar(candle) {
    return { time: candle.time, value: candle.volume, color: candle.close >= candle.open ? look.gainWash : look.lossWash };
  }

  /** @param {Trade[]} trades newest first */
  function trade(trades) {
    const old = now() - KEPT_TRADES;
    recent = [...recent.filter((one) => one.at > old), ...[...trades].reverse()];
    if (source !== "trade" || !history.last) return;
    let begun = false;
    for (const one of [...trades].reverse()) begun = history.see(Number(one.price), one.at, Number(one.size)) || begun;
    moved(begun);
  }

  /** A mark or an index moves its own candles. @param {{mark?: string, index?: string}} ticker */
  function price(ticker) {
    const value = source === "mark" ? ticker.mark : source === "index" ? ticker.index : undefined;
    if (value && history.last) moved(history.see(Number(value), now(), 0));
  }

  let waiting = false;
  /** @param {boolean} begun a candle is over */
  function moved(begun) {
    if (begun) setTimeout(renew, OVER);
    if (waiting) return;
    waiting = true;
    nextFrame(() => {
      waiting = false;
      if (!history.last) return;
      candles.update(history.last);
      volume.update(bar(history.last));
      studies.update(history.all);
    });
  }

  /** @param {string} wanted */
  function choose(wanted) {
    resolution = wanted;
    for (const button of document.querySelectorAll("[data-resolution]")) button.setAttribute("aria-pressed", String(button.getAttribute("data-resolution") === wanted));
    load();
  }
  for (const button of document.querySelectorAll("[data-resolution]")) button.addEventListener("click", () => choose(button.getAttribute("data-resolution") ?? "5m"));
  const select = /** @type {HTMLSelectElement | null} */ (document.querySelector("[data-source]"));
  select?.addEventListener("change", () => { source = select.value; load(); });
  for (const box of document.querySelectorAll("[data-indicator]")) {
    box.addEventListener("change", () => { studies.choose(chosen(), look); studies.reset(history.all); });
  }
  let shownAt = now();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && now() - shownAt > 30000) renew(); // trades of the meantime were conflated away
    shownAt = now();
  });
  load();
  return { trade, price, choose };
}

/** The indicators that are ticked. */
export function chosen() {
  return [...document.querySelectorAll("[data-indicator]:checked")].map((box) => /** @type {HTMLInputElement} */ (box).value);
}

/** @param {number[]} row @returns {Candle} */
function candleOf([time, open, high, low, close, volume]) {
  return { time, open, high, low, close, volume };
}
