// @ts-check
// The page of one instrument: chart, book, tape and ticket around the same streams.

import * as book from "./book.js";
import * as chart from "./chart.js";
import * as depth from "./depth.js";
import * as heard from "./heard.js";
import { showTicket } from "./keyboard.js";
import * as ladder from "./ladder.js";
import { now, watch } from "./live.js";
import * as own from "./own.js";
import * as preview from "./preview.js";
import { Readings } from "./readings.js";
import * as sparklines from "./sparklines.js";
import * as tape from "./tape.js";
import * as ticket from "./ticket.js";
import * as workspace from "./workspace.js";

const about = /** @type {HTMLElement} */ (document.querySelector("[data-instrument]")).dataset;
const symbol = about.instrument ?? "";
const places = Number(about.places);
const sizePlaces = Number(about.sizePlaces);

const { tick = "1", market = "" } = about;
const onPrice = (/** @type {string} */ price) => { ticket.fillPrice(price); showTicket(); };

const candles = chart.start({ places, tick });
watch(`ticker:${market}:${symbol}`, (ticker) => candles.price(ticker));
tape.start({ places, sizePlaces, symbol, onTrades: (trades) => candles.trade(trades), onGap: () => candles.renew() });
book.start({ places, sizePlaces, tick, symbol, market, onPrice });
ladder.start({ places, sizePlaces, tick, symbol, market, onPrice });
workspace.start();
own.start(symbol);
heard.start();
sparklines.start();
views();
ticket.start({ symbol, places, kind: about.kind ?? "", sizeUnit: about.sizeUnit ?? "" });
preview.start({ kind: about.kind ?? "", price: ticket.priceOf });

/** The views of the market that are not candles read only while they are seen. */
function views() {
  const others = /** @type {Record<string, {show: (seen: boolean) => void}>} */ ({ depth: depth.start({ places, sizePlaces, symbol, market }) });
  for (const found of document.querySelectorAll("[data-readings]")) {
    const panel = /** @type {HTMLElement} */ (found);
    others[panel.dataset.readings ?? ""] = new Readings(panel, { symbol, sizePlaces });
  }
  let seen = "candles";
  for (const choice of document.querySelectorAll("[name=shows]")) {
    choice.addEventListener("change", () => {
      others[seen]?.show(false);
      seen = /** @type {HTMLInputElement} */ (choice).value;
      others[seen]?.show(true);
    });
  }
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
