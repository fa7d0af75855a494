// @ts-check
// Candles with history from the desk and the last one moved by live trades, or by mark or index. The one place, with its
// neighbours chart_own.js and chart_lines.js, where prices are floats: they are only drawn.

import {
  CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, createChart,
} from "../vendor/lightweight-charts@5.2.1/lightweight-charts.standalone.production.mjs";
import { History } from "./candles.js";
import * as indicators from "./chart_lines.js";
import * as ownLines from "./chart_own.js";
import { now } from "./live.js";
import { fixed } from "./numbers.js";
import { fillsFrom } from "./own.js";
import { dress } from "./palette.js";
import { nextFrame } from "./rows.js";

/** @typedef {import("./candles.js").Candle} Candle */
/** @typedef {import("./tape.js").Trade} Trade */
/** @typedef {{rows: Candle[], seconds: number, askedAt: number, beginning: boolean}} Page */

const OVER = 1500; // milliseconds after which the venue has surely closed a candle
const KEPT_TRADES = 15000; // milliseconds of trades kept for an answer that is on its way
const AWAY = 30000; // milliseconds in the background after which the last candles are read anew

/** @param {{places: number, tick: string}} about */
export function start(about) {
  const chart = new Chart(about);
  for (const button of document.querySelectorAll("[data-resolution]")) {
    button.addEventListener("click", () => chart.choose(button.getAttribute("data-resolution") ?? "5m"));
  }
  const source = /** @type {HTMLSelectElement} */ (document.querySelector("[data-source]"));
  source.addEventListener("change", () => { chart.source = source.value; chart.load(); });
  for (const box of document.querySelectorAll("[data-indicator]")) box.addEventListener("change", () => chart.study());
  let shownAt = now();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && now() - shownAt > AWAY) chart.renew(); // trades of the meantime were conflated away
    shownAt = now();
  });
  chart.load();
  return chart;
}

class Chart {
  /** @param {{places: number, tick: string}} about */
  constructor({ places, tick }) {
    this.places = places;
    this.holder = /** @type {HTMLElement} */ (document.getElementById("chart"));
    this.note = /** @type {HTMLElement} */ (document.querySelector("[data-chart-note]"));
    this.history = new History(300);
    this.resolution = "5m";
    this.source = "trade";
    this.asked = 0; // rises with every other resolution or source: older answers are dropped
    this.fetching = false;
    this.waiting = false; // for the next frame
    /** @type {Trade[]} */
    this.recent = []; // oldest first
    this.chart = createChart(this.holder, { autoSize: true, layout: { attributionLogo: false } }); // the logo would bring an inline style
    this.candles = this.chart.addSeries(CandlestickSeries, { priceFormat: { type: "price", precision: places, minMove: Number(tick) } });
    this.volume = this.chart.addSeries(HistogramSeries, { priceFormat: { type: "volume" }, priceScaleId: "volume", lastValueVisible: false, priceLineVisible: false });
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.2 } });
    this.studies = indicators.start(this.chart);
    /** @type {import("./palette.js").Palette} */
    this.look;
    this.mine = ownLines.start({ chart: this.chart, candles: this.candles, holder: this.holder, tick, seconds: () => this.history.seconds, look: () => this.look });
    dress((look) => this.wear(look));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((/** @type {{from: number} | null} */ range) => { if (range && range.from < 10) this.earlier(); });
  }

  /** @param {import("./palette.js").Palette} look */
  wear(look) {
    this.look = look;
    const price = (/** @type {number} */ value) => fixed(value.toFixed(this.places), this.places);
    this.chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: look.panel }, textColor: look.muted, fontFamily: look.font, fontSize: 11, panes: { separatorColor: look.line } },
      grid: { vertLines: { color: look.faint }, horzLines: { color: look.faint } },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderColor: look.line },
      timeScale: { borderColor: look.line, timeVisible: true, secondsVisible: false, rightOffset: 6 },
      localization: { locale: "en-GB", priceFormatter: price },
    });
    this.candles.applyOptions({ upColor: look.gain, downColor: look.loss, wickUpColor: look.gain, wickDownColor: look.loss, borderVisible: false });
    this.studies.choose(ticked(), look);
    this.draw();
    this.mine.draw();
  }

  /** @param {Record<string, string>} wish @returns {Promise<Page>} */
  async read(wish) {
    const url = (this.holder.dataset.candles ?? "").replace("RESOLUTION", this.resolution);
    const answer = await fetch(`${url}?${new URLSearchParams({ source: this.source, ...wish })}`, { signal: AbortSignal.timeout(10000) });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.message);
    return { rows: told.candles.map(candleOf), seconds: told.seconds, askedAt: told.asked_at, beginning: told.beginning };
  }

  /** Everything anew: another resolution or source, or the first time. */
  async load() {
    const asking = ++this.asked;
    try {
      const page = await this.read({});
      if (asking !== this.asked) return;
      this.history = new History(page.seconds);
      this.history.renew(page.rows);
      this.catchUp(page.askedAt);
      this.note.textContent = page.rows.length ? "" : "No trades in this time yet.";
      this.draw();
      this.frame();
    } catch {
      if (asking === this.asked) this.note.textContent = "The chart's history did not arrive. Trying again.";
      setTimeout(() => asking === this.asked && this.load(), 4000);
    }
  }

  /** The history before the first candle, once somebody scrolls near it. */
  async earlier() {
    const { first, complete } = this.history;
    if (this.fetching || complete || !first) return;
    const asking = this.asked;
    this.fetching = true;
    try {
      const page = await this.read({ before: String(first.time) });
      if (asking !== this.asked) return;
      this.history.complete = page.beginning;
      if (this.history.prepend(page.rows)) this.draw();
      this.note.textContent = page.beginning ? "This is the beginning." : "";
    } catch {
      if (asking === this.asked) this.note.textContent = "Earlier candles did not arrive. Scroll again.";
    } finally {
      this.fetching = false;
    }
  }

  /** The newest ones as the venue has them: a candle is over, or the page was not looked at for a while. */
  async renew() {
    const { last, seconds } = this.history;
    if (!last) return this.load();
    const asking = this.asked;
    try {
      const page = await this.read({ since: String(last.time - seconds) });
      if (asking !== this.asked) return;
      if (!this.history.renew(page.rows)) return this.load();
      this.catchUp(page.askedAt);
      this.draw();
    } catch {
      if (asking === this.asked) this.note.textContent = "The chart's last candles are drawn from live trades alone.";
    }
  }

  /** Trades that came while the answer was on its way. @param {number} askedAt epoch milliseconds */
  catchUp(askedAt) {
    if (this.source !== "trade") return;
    for (const one of this.recent) if (one.at > askedAt) this.history.see(Number(one.price), one.at, Number(one.size));
  }

  draw() {
    const { all, first } = this.history;
    this.candles.setData(all);
    this.volume.setData(all.map((candle) => this.bar(candle)));
    this.studies.reset(all);
    this.holder.dataset.candlesDrawn = String(all.length); // for those who cannot see a canvas, and for tests
    this.holder.dataset.firstCandle = String(first?.time ?? "");
    if (first) fillsFrom(first.time);
  }

  /** The last 140 of them. */
  frame() {
    const count = this.history.all.length;
    this.chart.timeScale().applyOptions({ timeVisible: this.history.seconds < 86400 });
    if (count > 160) this.chart.timeScale().setVisibleLogicalRange({ from: count - 140, to: count + 6 });
    else this.chart.timeScale().fitContent();
  }

  /** @param {Candle} candle */
  bar(candle) {
    return { time: candle.time, value: candle.volume, color: candle.close >= candle.open ? this.look.gainWash : this.look.lossWash };
  }

  /** @param {Trade[]} trades newest first */
  trade(trades) {
    const old = now() - KEPT_TRADES;
    const news = [...trades].reverse();
    this.recent = [...this.recent.filter((one) => one.at > old), ...news];
    if (this.source !== "trade" || !this.history.last) return;
    const begun = news.map((one) => this.history.see(Number(one.price), one.at, Number(one.size)));
    this.moved(begun.includes(true));
  }

  /** A mark or an index moves its own candles. @param {{mark?: string, index?: string}} ticker */
  price(ticker) {
    const value = this.source === "mark" ? ticker.mark : this.source === "index" ? ticker.index : undefined;
    if (value && this.history.last) this.moved(this.history.see(Number(value), now(), 0));
  }

  /** @param {boolean} begun another candle, so that the one before it is over */
  moved(begun) {
    if (begun) setTimeout(() => this.renew(), OVER);
    if (this.waiting) return;
    this.waiting = true;
    nextFrame(() => {
      this.waiting = false;
      const { last, all } = this.history;
      if (!last) return;
      this.candles.update(last);
      this.volume.update(this.bar(last));
      this.studies.update(all);
    });
  }

  /** @param {string} resolution */
  choose(resolution) {
    this.resolution = resolution;
    for (const button of document.querySelectorAll("[data-resolution]")) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-resolution") === resolution));
    }
    this.load();
  }

  study() {
    this.studies.choose(ticked(), this.look);
    this.studies.reset(this.history.all);
  }
}

/** The indicators that are chosen. */
function ticked() {
  return [...document.querySelectorAll("[data-indicator]:checked")].map((box) => /** @type {HTMLInputElement} */ (box).value);
}

/** @param {number[]} row @returns {Candle} */
function candleOf([time, open, high, low, close, volume]) {
  return { time, open, high, low, close, volume };
}
