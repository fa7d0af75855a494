// @ts-check
// What is ours in this market: orders, the position, fills. Asked of the desk when the account's feed says that something
// moved, for the chart, the book and the ladder alike. Moving an order's price ends in the sheet that changes it.

import { watch } from "./live.js";

/** @typedef {{id: string, side: string, type: string, open: string, price: string, moves: string, status: string}} Order */
/** @typedef {[number, string, string, string]} Fill milliseconds, side, price, size */
/** @typedef {{orders: Order[], position: {side: string, entry: string, liquidation: string, size: string} | null, fills: Fill[], more: boolean}} Own */

const EVERY = 400; // milliseconds between two questions, at the least
const AGAIN = 3000; // after one that was not answered

/** @type {Own} */
export let own = { orders: [], position: null, fills: [], more: false };
/** @type {(() => void)[]} */
const listeners = [];
let address = "";
let since = 0;
let timer = 0;
let askedAt = 0;
let busy = false;
let again = false;

/** @param {() => void} listener called whenever `own` has changed */
export function onOwn(listener) {
  listeners.push(listener);
}

/** @param {string} symbol */
export function start(symbol) {
  const account = document.body.dataset.account;
  if (!account) return;
  address = `/charts/${symbol}/own.json?of=${account}`;
  watch(`account:${account}`, (data, message) => {
    if (message.k === "snap" || data.kind === "order" || data.kind === "fill" || data.kind === "positions") soon();
  });
  document.body.addEventListener("orders-changed", soon);
  document.addEventListener("visibilitychange", () => document.hidden || soon());
}

/**
 * Fills that old are wanted, too.
 * @param {number} from epoch seconds
 */
export function fillsFrom(from) {
  if (since && from >= since) return;
  since = from;
  soon();
}

function soon() {
  if (!address || document.hidden) return;
  if (busy) { again = true; return; }
  if (!timer) timer = setTimeout(ask, Math.max(0, askedAt + EVERY - Date.now()));
}

async function ask() {
  timer = 0;
  busy = true;
  again = false;
  askedAt = Date.now();
  try {
    const answer = await fetch(`${address}${since ? `&since=${since}` : ""}`, { signal: AbortSignal.timeout(8000), redirect: "error" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    own = await answer.json();
    for (const listener of listeners) listener();
  } catch {
    askedAt = Date.now() + AGAIN; // what is drawn stays, and we ask again
    again = true;
  } finally {
    busy = false;
    if (again) soon();
  }
}

/**
 * The sheet in which the order is changed, with the price it was moved to: pressing its button is the one confirmation.
 * @param {Order} order
 * @param {string} price
 */
export function move(order, price) {
  if (!order.moves || price === order.price) return;
  // @ts-ignore htmx is a global of its own script
  window.htmx.ajax("GET", `/orders/${order.id}/edit/?${order.moves}=${price}`, { source: "#sheet", target: "#sheet", swap: "innerHTML" });
}
