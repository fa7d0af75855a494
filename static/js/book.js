// @ts-check
// The order book: fixed rows whose texts and bars change, so nothing moves. A click on a price fills the ticket.

import { watch } from "./live.js";
import { NOTHING, fixed, scaled, unscaled } from "./numbers.js";
import { nextFrame } from "./rows.js";

/** @typedef {{price: string, size: string}} Level */

/** The best prices, for the ticket's chips. @type {{bid: string, ask: string}} */
export const best = { bid: "", ask: "" };

/**
 * @param {{places: number, sizePlaces: number, onPrice: (price: string) => void, own: () => Map<string, string>}} options
 */
export function start({ places, sizePlaces, onPrice, own }) {
  const table = /** @type {HTMLTableElement} */ (document.getElementById("book"));
  const asks = rows(table, ".asks").reverse(); // best nearest the spread
  const bids = rows(table, ".bids");
  const spread = /** @type {HTMLElement} */ (table.querySelector("[data-spread]"));
  const note = /** @type {HTMLElement} */ (document.querySelector("[data-book-note]"));
  /** @type {any} */
  let latest = null;

  const draw = () => {
    const book = latest;
    if (!book) return;
    const mine = own();
    const top = [total(book.asks.slice(0, asks.length), sizePlaces), total(book.bids.slice(0, bids.length), sizePlaces)];
    const whole = top[0] > top[1] ? top[0] : top[1];
    side(asks, book.asks, places, sizePlaces, whole, mine);
    side(bids, book.bids, places, sizePlaces, whole, mine);
    best.bid = book.bids[0]?.[0] ?? "";
    best.ask = book.asks[0]?.[0] ?? "";
    spread.textContent = best.bid && best.ask ? `spread ${gap(best.bid, best.ask, places)}` : NOTHING;
    note.textContent = book.gap ? "A number was missed; waiting for a new snapshot." : "";
    table.classList.toggle("old", Boolean(book.gap));
  };
  watch(table.dataset.streamOf ?? "", (data) => {
    if (!latest) nextFrame(draw);
    else if (latest !== data) nextFrame(draw);
    latest = data;
  });
  document.addEventListener("parts-changed", () => nextFrame(draw));
  table.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("tr")?.querySelector(".price");
    const price = /** @type {HTMLElement | null} */ (button)?.dataset.price;
    if (price) onPrice(price);
  });
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
 * @param {[string, string][]} levels
 * @param {number} places
 * @param {number} sizePlaces
 * @param {bigint} whole what a full bar stands for
 * @param {Map<string, string>} mine own sizes by price
 */
function side(lines, levels, places, sizePlaces, whole, mine) {
  let sum = 0n;
  lines.forEach((line, index) => {
    const level = levels[index];
    if (level) sum += scaled(level[1], sizePlaces);
    set(line.price, level ? fixed(level[0], places) : "");
    set(line.size, level ? fixed(level[1], sizePlaces) : "");
    set(line.sum, level ? fixed(unscaled(sum, sizePlaces), sizePlaces) : "");
    line.price.dataset.price = level ? level[0] : "";
    line.row.style.setProperty("--depth", level && whole ? `${Number((sum * 100n) / whole)}%` : "0%");
    line.row.classList.toggle("own", Boolean(level) && mine.has(level[0]));
    line.price.parentElement?.setAttribute("data-own", (level && mine.get(level[0])) ?? "");
  });
}

/**
 * @param {[string, string][]} levels
 * @param {number} sizePlaces
 */
function total(levels, sizePlaces) {
  return levels.reduce((sum, level) => sum + scaled(level[1], sizePlaces), 0n);
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
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
