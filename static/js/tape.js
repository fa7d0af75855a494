// @ts-check
// The last trades, newest first, in rows that stay where they are; small ones can be left out.

import { watch } from "./live.js";
import { fixed, free, scaled, typed } from "./numbers.js";
import { nextFrame } from "./rows.js";
import { remember } from "./workspace.js";

/** @typedef {{id: string, side: string, price: string, size: string, at: number, kind: string}} Trade */

const KEPT = 500; // trades that a change of the filter can look through
const EXACT = 18; // decimals: sizes are compared as whole numbers

const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: document.documentElement.dataset.zone || "UTC",
});

/**
 * @param {{places: number, sizePlaces: number, symbol: string, onTrades: (trades: Trade[]) => void, onGap: () => void}} options
 *   `onGap` is called when trades may be missing: the tape has begun anew
 */
export function start({ places, sizePlaces, symbol, onTrades, onGap }) {
  const table = /** @type {HTMLTableElement} */ (document.getElementById("tape"));
  const least = /** @type {HTMLInputElement} */ (document.getElementById("tape-from"));
  const rows = [...table.tBodies[0].rows];
  /** @type {Trade[]} */
  let trades = [];
  let from = scaled(typed(least.value) || "0", EXACT);
  let asked = false;
  let begun = false;

  const draw = () => {
    asked = false;
    const large = from ? trades.filter((trade) => scaled(trade.size, EXACT) >= from) : trades;
    rows.forEach((row, index) => {
      const trade = large[index];
      row.dataset.side = trade?.side ?? "";
      const texts = trade ? [fixed(trade.price, places), fixed(trade.size, sizePlaces), clock.format(trade.at)] : ["", "", ""];
      texts.forEach((text, cell) => {
        if (row.cells[cell].textContent !== text) row.cells[cell].textContent = text;
      });
    });
  };
  const soon = () => { if (!asked) { asked = true; nextFrame(draw); } };
  least.addEventListener("input", () => {
    const text = typed(least.value) || (least.value.trim() ? "" : "0");
    if (text) least.removeAttribute("aria-invalid");
    else { least.setAttribute("aria-invalid", "true"); return; } // not a size yet: the filter stays as it was
    from = scaled(text, EXACT);
    table.dataset.from = free(text);
    remember({ tape_from: text }, symbol);
    soon();
  });
  watch(table.dataset.streamOf ?? "", (data, message) => {
    const known = new Set(message.k === "snap" ? [] : trades.slice(0, 100).map((trade) => trade.id));
    const news = data.trades.filter((/** @type {Trade} */ trade) => !known.has(trade.id));
    trades = message.k === "snap" ? news : [...news, ...trades];
    trades.length = Math.min(trades.length, KEPT);
    if (message.k === "upd") onTrades(news);
    else if (begun) onGap();
    begun = true;
    soon();
  });
}
