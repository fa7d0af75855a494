// @ts-check
// The last trades, newest first, in rows that stay where they are.

import { watch } from "./live.js";
import { fixed } from "./numbers.js";
import { nextFrame } from "./rows.js";

/** @typedef {{id: string, side: string, price: string, size: string, at: number, kind: string}} Trade */

const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: document.documentElement.dataset.zone || "UTC",
});

/**
 * @param {{places: number, sizePlaces: number, onTrades: (trades: Trade[]) => void}} options
 */
export function start({ places, sizePlaces, onTrades }) {
  const table = /** @type {HTMLTableElement} */ (document.getElementById("tape"));
  const rows = [...table.tBodies[0].rows];
  /** @type {Trade[]} */
  let trades = [];
  let asked = false;

  const draw = () => {
    asked = false;
    rows.forEach((row, index) => {
      const trade = trades[index];
      row.dataset.side = trade?.side ?? "";
      const texts = trade ? [fixed(trade.price, places), fixed(trade.size, sizePlaces), clock.format(trade.at)] : ["", "", ""];
      texts.forEach((text, cell) => {
        if (row.cells[cell].textContent !== text) row.cells[cell].textContent = text;
      });
    });
  };
  watch(table.dataset.streamOf ?? "", (data, message) => {
    const known = new Set(message.k === "snap" ? [] : trades.map((trade) => trade.id));
    const news = data.trades.filter((/** @type {Trade} */ trade) => !known.has(trade.id));
    trades = message.k === "snap" ? news : [...news, ...trades];
    trades.length = Math.min(trades.length, rows.length);
    if (message.k === "upd") onTrades(news);
    if (!asked) { asked = true; nextFrame(draw); }
  });
}
