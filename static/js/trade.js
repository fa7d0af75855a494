// @ts-check
// The page of one instrument: chart, book, tape and ticket around the same streams.

import * as book from "./book.js";
import * as chart from "./chart.js";
import { now, watch } from "./live.js";
import * as preview from "./preview.js";
import { scaled, unscaled } from "./numbers.js";
import * as tape from "./tape.js";
import * as ticket from "./ticket.js";
import { showTicket } from "./keyboard.js";

const about = /** @type {HTMLElement} */ (document.querySelector("[data-instrument]")).dataset;
const symbol = about.instrument ?? "";
const places = Number(about.places);
const sizePlaces = Number(about.sizePlaces);

const candles = chart.start({ places, tick: about.tick ?? "1", symbol });
watch(`ticker:${about.market}:${symbol}`, candles.price);
tape.start({ places, sizePlaces, onTrades: candles.trade });
book.start({ places, sizePlaces, own, onPrice: (price) => { ticket.fillPrice(price); showTicket(); } });
ticket.start({ symbol, places, kind: about.kind ?? "", sizeUnit: about.sizeUnit ?? "" });
preview.start({ kind: about.kind ?? "", price: ticket.priceOf });

/** The sizes of our own resting orders here, by price. */
function own() {
  const sizes = new Map();
  for (const row of document.querySelectorAll(`[data-part="orders"] [data-order][data-symbol-of="${CSS.escape(symbol)}"]`)) {
    const { price = "", open = "" } = /** @type {HTMLElement} */ (row).dataset;
    const before = sizes.get(price) ?? "0";
    sizes.set(price, unscaled(scaled(before, 10) + scaled(open, 10), 10).replace(/\.?0+$/, ""));
  }
  return sizes;
}

const picker = /** @type {HTMLInputElement} */ (document.getElementById("go"));
const choices = /** @type {HTMLDataListElement} */ (document.getElementById("symbols"));
const known = new Set((choices.dataset.symbols ?? "").split(" "));
choices.append(...[...known].map((one) => new Option(one, one)));
picker.addEventListener("input", () => go(picker.value.toUpperCase()));
picker.addEventListener("focus", () => picker.select());
picker.addEventListener("blur", () => { picker.value = symbol; });
picker.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const text = picker.value.toUpperCase();
  go(known.has(text) ? text : [...known].find((one) => one.includes(text)) ?? "");
});

/** @param {string} wanted */
function go(wanted) {
  if (wanted !== symbol && known.has(wanted)) location.assign((picker.dataset.go ?? "").replace("SYMBOL", wanted));
}

const grid = /** @type {HTMLElement} */ (document.querySelector(".trade-grid"));
// On a phone one part shows at a time, and the ticket lies over it as a sheet.
for (const tab of document.querySelectorAll("[name=view]")) {
  tab.addEventListener("change", () => {
    const { value } = /** @type {HTMLInputElement} */ (tab);
    grid.classList.toggle("with-ticket", value === "ticket");
    if (value !== "ticket") grid.dataset.view = value;
  });
}
document.querySelector("[data-close-ticket]")?.addEventListener("click", () => {
  /** @type {HTMLInputElement} */ (document.querySelector(`[name=view][value="${grid.dataset.view}"]`)).click();
});

const countdown = /** @type {HTMLElement | null} */ (document.querySelector("[data-countdown]"));
if (countdown) setInterval(() => { countdown.textContent = left(Number(countdown.dataset.countdown)); }, 1000);

/** @param {number} at the next funding; they follow each other by the hour */
function left(at) {
  if (!at) return "";
  const hour = 3600000;
  const seconds = Math.floor(((((at - now()) % hour) + hour) % hour) / 1000);
  return `in ${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}
