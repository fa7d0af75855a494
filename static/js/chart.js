// @ts-check
// Candles with history from the desk and the last one moved by live trades; own orders, entry and liquidation as lines.
// The one place where prices are floats: they are only drawn.

import {
  CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, LineStyle, createChart,
} from "../vendor/lightweight-charts@5.2.1/lightweight-charts.standalone.production.mjs";
import { now } from "./live.js";
import { fixed } from "./numbers.js";

/** @typedef {{time: number, open: number, high: number, low: number, close: number, volume: number}} Candle */

/**
 * @param {{places: number, tick: string, symbol: string}} options
 */
export function start({ places, tick, symbol }) {
  const holder = /** @type {HTMLElement} */ (document.getElementById("chart"));
  const note = /** @type {HTMLElement} */ (document.querySelector("[data-chart-note]"));
  const chart = createChart(holder, { autoSize: true, layout: { attributionLogo: false } }); // the logo would bring an inline style
  const candles = chart.addSeries(CandlestickSeries, { priceFormat: { type: "price", precision: places, minMove: Number(tick) } });
  const volume = chart.addSeries(HistogramSeries, { priceFormat: { type: "volume" }, priceScaleId: "volume", lastValueVisible: false, priceLineVisible: false });
  chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
  candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.2 } });

  /** @type {Candle | null} */
  let last = null;
  let seconds = 300;
  let resolution = "5m";
  let source = "trade";
  let asked = 0;
  /** @type {Candle[]} */
  let all = []; // oldest first; the last one is the running one
  let oldest = false; // there is nothing before the first
  let fetching = false;
  let colours = dress();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours = dress(); load(); });

  function dress() {
    const look = palette();
    chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: look.panel }, textColor: look.muted, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11 },
      grid: { vertLines: { color: look.faint }, horzLines: { color: look.faint } },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderColor: look.line },
      timeScale: { borderColor: look.line, timeVisible: true, secondsVisible: false, rightOffset: 6 },
      localization: { locale: "en-GB", priceFormatter: (/** @type {number} */ price) => fixed(price.toFixed(places), places) },
    });
    candles.applyOptions({ upColor: look.gain, downColor: look.loss, wickUpColor: look.gain, wickDownColor: look.loss, borderVisible: false });
    return look;
  }

  async function load() {
    const asking = ++asked;
    const url = address();
    oldest = false;
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(10000) });
      const body = await answer.json();
      if (asking !== asked) return;
      if (!answer.ok) { note.textContent = body.message; return; }
      show(body.candles.map(candleOf), body.seconds);
    } catch {
      if (asking === asked) note.textContent = "The chart's history did not arrive. Trying again.";
      setTimeout(() => asking === asked && load(), 4000);
    }
  }

  function address(before = "") {
    const query = new URLSearchParams({ source, ...(before && { before }) });
    return `${(holder.dataset.candles ?? "").replace("RESOLUTION", resolution)}?${query}`;
  }

  /** The history before the first candle, once somebody scrolls near it. */
  async function earlier() {
    if (fetching || oldest || !all.length) return;
    const asking = asked;
    fetching = true;
    try {
      const answer = await fetch(address(String(all[0].time)), { signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const rows = (await answer.json()).candles.map(candleOf).filter((/** @type {Candle} */ one) => one.time < all[0].time);
      if (asking !== asked) return;
      oldest = !rows.length;
      all = [...rows, ...all];
      candles.setData(all);
      volume.setData(all.map(bar));
      note.textContent = oldest ? "This is the beginning." : "";
    } catch {
      if (asking === asked) note.textContent = "Earlier candles did not arrive. Scroll again.";
    } finally {
      fetching = false;
    }
  }
  chart.timeScale().subscribeVisibleLogicalRangeChange((range) => { if (range && range.from < 10) earlier(); });

  /**
   * @param {Candle[]} rows
   * @param {number} each
   */
  function show(rows, each) {
    seconds = each;
    all = rows;
    candles.setData(rows);
    volume.setData(rows.map(bar));
    last = rows.at(-1) ?? null;
    note.textContent = rows.length ? "" : "No trades in this time yet.";
    chart.timeScale().applyOptions({ timeVisible: each < 86400 });
    if (rows.length > 160) chart.timeScale().setVisibleLogicalRange({ from: rows.length - 140, to: rows.length + 6 });
    else chart.timeScale().fitContent();
  }

  /** @param {Candle} candle */
  function bar(candle) {
    return { time: candle.time, value: candle.volume, color: candle.close >= candle.open ? colours.gainWash : colours.lossWash };
  }

  /** @param {import("./tape.js").Trade[]} trades newest first */
  function trade(trades) {
    if (source !== "trade") return;
    for (const one of [...trades].reverse()) draw(Number(one.price), Math.floor(one.at / 1000 / seconds) * seconds, Number(one.size));
    update();
  }

  /**
   * One price into the running candle, or into a new one.
   * @param {number} price
   * @param {number} time when its candle begins
   * @param {number} size
   */
  function draw(price, time, size) {
    if (last && time < last.time) return;
    if (!last || time > last.time) all.push(last = { time, open: last?.close ?? price, high: price, low: price, close: price, volume: 0 });
    last.high = Math.max(last.high, price);
    last.low = Math.min(last.low, price);
    last.close = price;
    last.volume += size;
  }

  function update() {
    if (!last) return;
    candles.update(last);
    volume.update(bar(last));
  }

  /** @type {any[]} */
  let lines = [];
  function own() {
    for (const line of lines) candles.removePriceLine(line);
    lines = ownLines(symbol, colours).map((line) => candles.createPriceLine(line));
  }

  for (const button of document.querySelectorAll("[data-resolution]")) {
    button.addEventListener("click", () => {
      for (const other of document.querySelectorAll("[data-resolution]")) other.setAttribute("aria-pressed", String(other === button));
      resolution = /** @type {HTMLElement} */ (button).dataset.resolution ?? "5m";
      load();
    });
  }
  const chosen = /** @type {HTMLSelectElement | null} */ (document.querySelector("[data-source]"));
  chosen?.addEventListener("change", () => { source = chosen.value; load(); });
  document.addEventListener("parts-changed", own);
  let shownAt = now();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && now() - shownAt > 30000) load(); // trades of the meantime were conflated away
    shownAt = now();
  });
  load();
  own();
  /** A mark or an index moves its own candles. @param {{mark?: string, index?: string}} ticker */
  function price(ticker) {
    const now_ = source === "mark" ? ticker.mark : source === "index" ? ticker.index : undefined;
    if (now_ === undefined || now_ === null) return;
    draw(Number(now_), Math.floor(now() / 1000 / seconds) * seconds, 0);
    update();
  }
  return { trade, price, reload: load };
}

/** @param {number[]} row @returns {Candle} */
function candleOf([time, open, high, low, close, volume]) {
  return { time, open, high, low, close, volume };
}

/**
 * @param {string} symbol
 * @param {ReturnType<typeof palette>} look
 */
function ownLines(symbol, look) {
  const lines = [];
  for (const row of document.querySelectorAll(`[data-order][data-symbol-of="${CSS.escape(symbol)}"]`)) {
    const { price = "", side = "", size = "" } = /** @type {HTMLElement} */ (row).dataset;
    const at = plain(price);
    if (at) lines.push({ price: at, color: side === "buy" ? look.buy : look.sell, lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: true, title: `${side} ${size}` });
  }
  const position = /** @type {HTMLElement | null} */ (document.querySelector(`[data-position="${CSS.escape(symbol)}"]`));
  if (position) {
    const { entry = "", liquidation = "", side = "" } = position.dataset;
    if (plain(entry)) lines.push({ price: plain(entry), color: look.text, lineWidth: 1, lineStyle: LineStyle.Dotted, axisLabelVisible: true, title: `${side} entry` });
    if (plain(liquidation)) lines.push({ price: plain(liquidation), color: look.critical, lineWidth: 1, lineStyle: LineStyle.Solid, axisLabelVisible: true, title: "liquidation" });
  }
  return lines;
}

/** @param {string} text as the page shows it */
function plain(text) {
  const number = Number(text);
  return Number.isFinite(number) ? number : 0;
}

/** The page's colours as the canvas understands them. */
function palette() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const brush = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d", { willReadFrequently: true }));
  const read = (/** @type {string} */ name, alpha = 1) => {
    probe.style.color = `var(${name})`;
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = getComputedStyle(probe).color;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
    return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
  };
  const look = {
    panel: read("--panel"), text: read("--text"), muted: read("--muted"), line: read("--line"), faint: read("--line", 0.35),
    gain: read("--gain"), loss: read("--loss"), gainWash: read("--gain", 0.3), lossWash: read("--loss", 0.3),
    buy: read("--buy"), sell: read("--sell"), critical: read("--critical"),
  };
  probe.remove();
  return look;
}
