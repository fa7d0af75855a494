// @ts-check
// The book as a ladder: prices stand still and sizes move beside them. Orders of ours are chips that are dragged to
// another price; the sheet that opens then is the one confirmation, and by keyboard the chip opens the same sheet.

import { best, fit, group, onBook, set, shown } from "./book.js";
import { bare, gathered, rungs } from "./levels.js";
import { fixed, free, placesOf, scaled } from "./numbers.js";
import { move, own } from "./own.js";
import { remember } from "./workspace.js";

const EDGE = 4; // the best prices keep this many rows away from the ends

/** @typedef {import("./own.js").Order} Order */

let middle = 0n; // the rung in the middle, in units of the tick's last decimal; 0: to be found anew
let inside = false; // the pointer is over it: then nothing moves away under it

/** @param {import("./book.js").About} about */
export function start(about) {
  const panel = /** @type {HTMLElement} */ (document.querySelector(".panel.book"));
  const table = /** @type {HTMLTableElement} */ (document.getElementById("ladder"));
  const body = table.tBodies[0];
  // A page that opens with the book sends one row of the hidden ladder; all of them are alike.
  while (body.rows.length < Number(body.dataset.rows)) body.append(body.rows[0].cloneNode(true));
  const lines = [...body.rows].map(parts);
  const show = () => { if (panel.dataset.form === "ladder" && best.bid && best.ask) draw(table, lines, about); };
  onBook(show);
  document.addEventListener("resized", () => {
    fit(lines, (chart) => Math.floor(chart / 40) * 2 - 1);
    show();
  });
  table.addEventListener("pointerenter", () => { inside = true; });
  table.addEventListener("pointerleave", () => { inside = false; });
  table.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const price = target.closest(".chip") ? "" : target.closest("tr")?.dataset.price;
    if (price) about.onPrice(price);
  });
  drag(table);
  document.querySelector("[data-centre]")?.addEventListener("click", () => { middle = 0n; show(); });
  for (const choice of document.querySelectorAll("[name=form]")) {
    choice.addEventListener("change", () => {
      panel.dataset.form = /** @type {HTMLInputElement} */ (choice).value;
      middle = 0n;
      remember({ form: panel.dataset.form }, about.symbol);
      show();
    });
  }
}

/**
 * @param {HTMLTableElement} table
 * @param {ReturnType<typeof parts>[]} lines
 * @param {import("./book.js").About} about
 */
function draw(table, lines, { places, sizePlaces, tick }) {
  const seen = lines.filter((line) => line.row.getClientRects().length);
  const tickPlaces = placesOf(tick);
  const step = scaled(tick, tickPlaces) * BigInt(group);
  centre(seen.length, step, tickPlaces);
  const prices = rungs(middle, step, seen.length, tickPlaces);
  const [bids, asks] = [sizes("bids"), sizes("asks")];
  const ours = chips(tick, sizePlaces);
  seen.forEach((line, at) => row(line, prices[at], bids, asks, ours, { places, sizePlaces }));
  table.classList.toggle("old", Boolean(shown.gap));
}

/**
 * Moves the middle only when the best prices come near an end.
 * @param {number} count rows
 * @param {bigint} step
 * @param {number} tickPlaces
 */
function centre(count, step, tickPlaces) {
  const now = (scaled(best.bid, tickPlaces) + scaled(best.ask, tickPlaces)) / 2n;
  const away = (now - middle) / step;
  const room = BigInt(Math.max(1, Math.floor(count / 2) - EDGE));
  if (!middle || (!inside && (away > room || away < -room))) middle = (now / step) * step;
}

/** @param {"bids" | "asks"} side */
function sizes(side) {
  return new Map(shown[side].map(([price, size]) => [bare(price), size]));
}

/** @param {HTMLTableRowElement} row */
function parts(row) {
  const [mineBuy, bid, price, ask, mineSell] = /** @type {HTMLElement[]} */ ([...row.cells]);
  return { row, mineBuy, bid, price: /** @type {HTMLElement} */ (price.firstElementChild), ask, mineSell };
}

/**
 * Own orders by the rung they stand on, each as it is.
 * @param {string} tick
 * @param {number} sizePlaces
 */
function chips(tick, sizePlaces) {
  /** @type {Map<string, Order[]>} */
  const found = new Map();
  for (const order of own.orders) {
    if (!order.price) continue;
    const side = order.side === "buy" ? "bids" : "asks";
    const [[price]] = gathered([[order.price, order.open]], side, tick, group, sizePlaces);
    const key = `${order.side} ${bare(price)}`;
    found.set(key, [...(found.get(key) ?? []), order]);
  }
  return found;
}

/**
 * @param {ReturnType<typeof parts>} line
 * @param {string} price
 * @param {Map<string, string>} bids
 * @param {Map<string, string>} asks
 * @param {Map<string, Order[]>} ours
 * @param {{places: number, sizePlaces: number}} how
 */
function row(line, price, bids, asks, ours, { places, sizePlaces }) {
  const size = (/** @type {Map<string, string>} */ levels) => (levels.has(price) ? fixed(levels.get(price), sizePlaces) : "");
  line.row.dataset.price = price;
  set(line.price, price ? fixed(price, places) : "");
  set(line.bid, size(bids));
  set(line.ask, size(asks));
  line.row.classList.toggle("bid", bids.has(price));
  line.row.classList.toggle("ask", asks.has(price));
  chip(line.mineBuy, ours.get(`buy ${price}`) ?? []);
  chip(line.mineSell, ours.get(`sell ${price}`) ?? []);
}

/**
 * @param {HTMLElement} cell
 * @param {Order[]} orders
 */
function chip(cell, orders) {
  const words = orders.length === 1 ? free(orders[0].open) : orders.length ? `${orders.length} orders` : "";
  const key = orders.map((order) => `${order.id} ${order.open}`).join();
  if (cell.dataset.key === key) return;
  cell.dataset.key = key;
  if (!words) { cell.replaceChildren(); return; }
  const button = document.createElement("button");
  button.type = "button";
  button.className = `chip ${orders[0].side}`;
  button.textContent = words;
  const single = orders.length === 1 && orders[0].moves ? orders[0].id : "";
  button.dataset.order = single;
  button.disabled = !single;
  button.title = single ? "Drag to another price, or press to change it" : "Change these in the table of open orders";
  button.setAttribute("aria-label", `${orders[0].side} ${words}: change`);
  cell.replaceChildren(button);
}

/** @param {HTMLElement} table */
function drag(table) {
  /** @type {{order: Order, over: HTMLElement | null, moved: boolean} | null} */
  let held = null;
  const find = (/** @type {EventTarget | null} */ target) => {
    const id = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (target).closest?.(".chip[data-order]"))?.dataset.order;
    return own.orders.find((order) => order.id === id);
  };
  const over = (/** @type {PointerEvent} */ event) => /** @type {HTMLElement | null} */ (document.elementFromPoint(event.clientX, event.clientY)?.closest("#ladder tbody tr") ?? null);
  const end = () => { held?.over?.classList.remove("target"); table.classList.remove("dragging"); held = null; };
  table.addEventListener("pointerdown", (event) => {
    const order = event.button === 0 ? find(event.target) : undefined;
    if (!order) return;
    held = { order, over: over(event), moved: false };
    table.setPointerCapture(event.pointerId);
  });
  table.addEventListener("pointermove", (event) => {
    if (!held) return;
    const row = over(event);
    if (row === held.over) return;
    held.over?.classList.remove("target");
    row?.classList.add("target");
    held.over = row;
    held.moved = true; // at least once off the rung it began on
    table.classList.add("dragging");
  });
  table.addEventListener("pointerup", (event) => {
    if (!held) return;
    const { order, moved } = held;
    const price = over(event)?.dataset.price ?? "";
    end();
    if (moved && price) move(order, price);
    else if (!moved) change(order);
  });
  table.addEventListener("pointercancel", end);
  table.addEventListener("keydown", (event) => {
    const order = event.key === "Enter" || event.key === " " ? find(event.target) : undefined;
    if (event.key === "Escape") end();
    if (!order) return;
    event.preventDefault();
    change(order);
  });
}

/** @param {Order} order */
function change(order) {
  // @ts-ignore htmx is a global of its own script
  window.htmx.ajax("GET", `/orders/${order.id}/edit/`, { source: "#sheet", target: "#sheet", swap: "innerHTML" });
}
