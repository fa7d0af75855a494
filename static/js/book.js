// @ts-check
// The order book: fixed rows whose texts and bars change, so nothing moves. A click on a price fills the ticket. Levels
// can be gathered; then the deeper book is read, which comes less often.

import { watch } from "./live.js";
import { bare, gathered, ownSizes, running } from "./levels.js";
import { NOTHING, fixed, scaled, unscaled } from "./numbers.js";
import { onOwn, own } from "./own.js";
import { nextFrame } from "./rows.js";
import { remember } from "./workspace.js";

/** @typedef {import("./levels.js").Level} Level */
/** @typedef {{bids: Level[], asks: Level[], gap?: boolean}} Book */
/** @typedef {{places: number, sizePlaces: number, tick: string, symbol: string, market: string, onPrice: (price: string) => void}} About */

/** The best prices, for the ticket's chips. @type {{bid: string, ask: string}} */
export const best = { bid: "", ask: "" };
/** What is shown: gathered, if wished. @type {Book} */
export let shown = { bids: [], asks: [], gap: true };
/** Ticks a level. */
export let group = 1;
/** As heard last. @type {Book | null} */
let near = null;
/** The deeper one, while levels are gathered. @type {Book | null} */
let deep = null;
/** @type {(() => void)[]} */
const listeners = [];

/** @param {() => void} listener called in the frame after the book, or what is ours in it, has changed */
export function onBook(listener) {
  listeners.push(listener);
}

/** @param {About} about */
export function start({ places, sizePlaces, tick, symbol, market, onPrice }) {
  const table = /** @type {HTMLTableElement} */ (document.getElementById("book"));
  const asks = rows(table, ".asks").reverse(); // best nearest the spread
  const bids = rows(table, ".bids");
  const soon = once(() => {
    if (!near) return;
    gather(near, { tick, sizePlaces });
    draw(table, { asks, bids }, { places, sizePlaces, tick });
    for (const listener of listeners) listener();
  });
  watch(`book:${market}:${symbol}`, (data) => { near = data; soon(); });
  onOwn(soon);
  chooseGroup(symbol, market, soon);
  document.addEventListener("resized", () => {
    for (const lines of [asks, bids]) fit(lines, (chart) => Math.floor((chart - 18) / 40));
    soon();
  });
  table.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("tr")?.querySelector(".price");
    const price = /** @type {HTMLElement | null} */ (button)?.dataset.price;
    if (price) onPrice(price);
  });
}

/**
 * However often it is asked for, it is done once in the next frame.
 * @param {() => void} act
 */
function once(act) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    nextFrame(() => { asked = false; act(); });
  };
}

/**
 * The choice of how many ticks a level has; from two on, the deeper book is read.
 * @param {string} symbol
 * @param {string} market
 * @param {() => void} soon
 */
function chooseGroup(symbol, market, soon) {
  const select = /** @type {HTMLSelectElement} */ (document.querySelector("[data-group]"));
  let stop = () => {};
  function choose() {
    stop();
    stop = () => {};
    deep = null;
    group = Number(select.value);
    if (group > 1) stop = watch(`depth:${market}:${symbol}`, (data) => { deep = data; soon(); });
    soon();
  }
  select.addEventListener("change", () => { choose(); remember({ group }, symbol); });
  choose();
}

/**
 * What is shown, and the best prices, out of what was heard last.
 * @param {Book} heard
 * @param {{tick: string, sizePlaces: number}} how
 */
function gather(heard, { tick, sizePlaces }) {
  const from = group > 1 ? deep : heard;
  shown = {
    bids: gathered(from?.bids ?? [], "bids", tick, group, sizePlaces),
    asks: gathered(from?.asks ?? [], "asks", tick, group, sizePlaces),
    gap: heard.gap || from?.gap,
  };
  best.bid = heard.bids[0]?.[0] ?? "";
  best.ask = heard.asks[0]?.[0] ?? "";
}

/**
 * @param {HTMLTableElement} table
 * @param {{asks: ReturnType<typeof rows>, bids: ReturnType<typeof rows>}} lines
 * @param {{places: number, sizePlaces: number, tick: string}} how
 */
function draw(table, { asks, bids }, { places, sizePlaces, tick }) {
  const mine = ownSizes(own.orders, tick, group, sizePlaces);
  const sums = [running(shown.asks.slice(0, asks.length), sizePlaces), running(shown.bids.slice(0, bids.length), sizePlaces)];
  const [above, below] = sums.map((list) => list.at(-1) ?? 0n);
  const whole = above > below ? above : below;
  side(asks, shown.asks, sums[0], { places, sizePlaces, whole, mine });
  side(bids, shown.bids, sums[1], { places, sizePlaces, whole, mine });
  const spread = /** @type {HTMLElement} */ (table.querySelector("[data-spread]"));
  spread.textContent = best.bid && best.ask ? `spread ${gap(best.bid, best.ask, places)}` : NOTHING;
  const note = /** @type {HTMLElement} */ (document.querySelector("[data-book-note]"));
  set(note, near?.gap ? "A number was missed; waiting for a new snapshot." : "");
  table.classList.toggle("old", Boolean(shown.gap));
}

/**
 * As many rows as have room beside the chart while it is resized: the twin of `rows_of` in trading/workspace.py.
 * @param {{row: HTMLElement}[]} lines
 * @param {(chart: number) => number} room
 */
export function fit(lines, room) {
  const grid = /** @type {HTMLElement} */ (document.querySelector(".trade-grid"));
  const count = room(parseInt(getComputedStyle(grid).getPropertyValue("--chart-size"), 10));
  lines.forEach((line, at) => { line.row.style.display = at < count ? "table-row" : "none"; });
}

/**
 * @param {HTMLTableElement} table
 * @param {string} part
 */
function rows(table, part) {
  return [...table.querySelectorAll(`${part} tr`)].map((row) => {
    const [price, size, sum] = row.children;
    return {
      row: /** @type {HTMLElement} */ (row),
      price: /** @type {HTMLElement} */ (price.firstElementChild),
      size: /** @type {HTMLElement} */ (size),
      sum: /** @type {HTMLElement} */ (sum),
    };
  });
}

/**
 * @param {ReturnType<typeof rows>} lines
 * @param {Level[]} levels
 * @param {bigint[]} sums
 * @param {{places: number, sizePlaces: number, whole: bigint, mine: Map<string, string>}} how `whole` is what a full bar stands for
 */
function side(lines, levels, sums, { places, sizePlaces, whole, mine }) {
  lines.forEach((line, index) => {
    const level = levels[index];
    const sum = sums[index] ?? 0n;
    const ours = level ? mine.get(bare(level[0])) : undefined;
    set(line.price, level ? fixed(level[0], places) : "");
    set(line.size, level ? fixed(level[1], sizePlaces) : "");
    set(line.sum, level ? fixed(unscaled(sum, sizePlaces), sizePlaces) : "");
    line.price.dataset.price = level ? bare(level[0]) : "";
    line.row.style.setProperty("--depth", level && whole ? `${Number((sum * 100n) / whole)}%` : "0%");
    line.row.classList.toggle("own", ours !== undefined);
    line.price.parentElement?.setAttribute("data-own", ours ?? "");
  });
}

/**
 * @param {string} bid
 * @param {string} ask
 * @param {number} places
 */
function gap(bid, ask, places) {
  return fixed(unscaled(scaled(ask, places) - scaled(bid, places), places), places);
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
export function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
