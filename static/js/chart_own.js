// @ts-check
// What is ours on the chart: working orders as lines that can be dragged, the entry, the liquidation, fills as marks.

import { LineStyle, createSeriesMarkers } from "../vendor/lightweight-charts@5.2.1/lightweight-charts.standalone.production.mjs";
import { startOf } from "./candles.js";
import { atTick } from "./levels.js";
import { free } from "./numbers.js";
import { move, onOwn, own } from "./own.js";

const NEAR = 6; // pixels from a line that still take hold of it
const DASHES = { sending: LineStyle.SparseDotted, uncertain: LineStyle.SparseDotted };

/**
 * @param {{chart: any, candles: any, holder: HTMLElement, tick: string, seconds: () => number, look: () => import("./palette.js").Palette}} parts
 */
export function start({ chart, candles, holder, tick, seconds, look }) {
  /** @type {any[]} */
  let lines = [];
  const marks = createSeriesMarkers(candles, []);
  const note = /** @type {HTMLElement} */ (document.querySelector("[data-chart-note]"));

  function draw() {
    const colours = look();
    for (const line of lines) candles.removePriceLine(line);
    lines = [...own.orders.filter((order) => order.price).map((order) => orderLine(order, colours)), ...positionLines(colours)].map((line) => candles.createPriceLine(line));
    if (own.more) note.textContent = "There are too many orders or fills of yours to draw all: the newest 500 are.";
    marks.setMarkers(own.fills.map((fill) => mark(fill, seconds(), colours)).reverse());
    holder.dataset.ownLines = String(lines.length); // for those who cannot see a canvas, and for tests
    holder.dataset.ownFills = String(own.fills.length);
  }
  onOwn(draw);
  drag({ chart, candles, holder, tick, look });
  return { draw };
}

/**
 * @param {import("./own.js").Order} order
 * @param {import("./palette.js").Palette} colours
 */
function orderLine(order, colours) {
  const unproven = order.status === "uncertain" || order.status === "sending";
  const kind = order.moves === "stop_price" ? ` ${order.type.replace("_", " ")}` : "";
  return {
    price: Number(order.price), lineWidth: 1, axisLabelVisible: true,
    color: unproven ? colours.uncertain : order.side === "buy" ? colours.buy : colours.sell,
    lineStyle: /** @type {Record<string, number>} */ (DASHES)[order.status] ?? LineStyle.Dashed,
    title: `${order.side}${kind} ${free(order.open)}${unproven ? " not proven" : ""}`,
  };
}

/** @param {import("./palette.js").Palette} colours */
function positionLines(colours) {
  const { position } = own;
  if (!position) return [];
  const found = [{ price: Number(position.entry), color: colours.text, lineWidth: 1, lineStyle: LineStyle.Dotted, axisLabelVisible: true, title: `${position.side} entry` }];
  if (position.liquidation) found.push({ price: Number(position.liquidation), color: colours.critical, lineWidth: 1, lineStyle: LineStyle.Solid, axisLabelVisible: true, title: "liquidation" });
  return found;
}

/**
 * @param {import("./own.js").Fill} fill
 * @param {number} seconds
 * @param {import("./palette.js").Palette} colours
 */
function mark([at, side, price], seconds, colours) {
  const buy = side === "buy";
  return {
    time: startOf(at / 1000, seconds), price: Number(price), size: 0.7,
    position: buy ? "atPriceBottom" : "atPriceTop", shape: buy ? "arrowUp" : "arrowDown", color: buy ? colours.buy : colours.sell,
  };
}

/** @param {{chart: any, candles: any, holder: HTMLElement, tick: string, look: () => import("./palette.js").Palette}} parts */
function drag({ chart, candles, holder, tick, look }) {
  /** @type {{order: import("./own.js").Order, line: any, price: string} | null} */
  let held = null;
  const height = (/** @type {PointerEvent} */ event) => event.clientY - holder.getBoundingClientRect().top;
  const hold = (/** @type {boolean} */ on) => chart.applyOptions({ handleScroll: !on, handleScale: !on });

  function at(/** @type {number} */ y) {
    const near = own.orders.filter((order) => order.moves)
      .map((order) => ({ order, away: Math.abs((candles.priceToCoordinate(Number(order.price)) ?? -1000) - y) }))
      .filter(({ away }) => away <= NEAR)
      .sort((a, b) => a.away - b.away);
    return near[0]?.order ?? null;
  }
  function end(/** @type {boolean} */ done) {
    if (!held) return;
    const { order, line, price } = held;
    held = null;
    hold(false);
    candles.removePriceLine(line);
    if (done) move(order, price);
  }
  holder.addEventListener("pointerdown", (event) => {
    const order = event.button === 0 ? at(height(event)) : null;
    if (!order) return;
    event.preventDefault();
    event.stopPropagation();
    hold(true);
    holder.setPointerCapture(event.pointerId);
    const line = candles.createPriceLine({ price: Number(order.price), color: look().accent, lineWidth: 2, lineStyle: LineStyle.Solid, axisLabelVisible: true, title: `move ${order.side} ${free(order.open)}` });
    held = { order, line, price: order.price };
  }, true);
  holder.addEventListener("pointermove", (event) => {
    if (!held) {
      holder.classList.toggle("movable", Boolean(at(height(event))));
      return;
    }
    const price = candles.coordinateToPrice(height(event));
    if (price === null) return;
    held.price = atTick(price, tick);
    held.line.applyOptions({ price: Number(held.price) });
  }, true);
  holder.addEventListener("pointerup", () => end(true), true);
  holder.addEventListener("pointercancel", () => end(false), true);
  document.addEventListener("keydown", (event) => event.key === "Escape" && end(false));
}
