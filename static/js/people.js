// @ts-check
// The desk as it is now: who looks at what, and the page of the book and the inbox kept up to date.

import { introduce, watch } from "./live.js";
import { morph } from "./morph.js";

/** @typedef {{id: number, name: string, page: string, symbol: string}} Looker */

const NAMES = /** @type {Record<string, string>} */ ({ instrument: "Trade", overview: "Overview", markets: "Markets", withdrawals: "Withdrawals", keys: "Keys", people: "People", activity: "Activity", history: "History", alerts: "Alerts", inbox: "Inbox", withdrawal: "A withdrawal", order: "An order" });
const PATIENCE = 400; // between two drawings of a list that moves

/** @type {number | null} */
let book = null;

export function start() {
  const { desk, page = "" } = document.body.dataset;
  const symbol = /** @type {HTMLElement | null} */ (document.querySelector("[data-instrument]"))?.dataset.instrument ?? "";
  document.addEventListener("notices-changed", () => redraw("[data-inbox]"));
  if (!desk) return;
  watch(`desk:${desk}`, (data) => {
    if (data.here === undefined) return;
    drawHere(data.here, symbol);
    if (book !== null && data.book > book) {
      redraw("[data-feed]");
      document.dispatchEvent(new CustomEvent("book-changed", { detail: data.book }));
    }
    book = data.book;
  });
  introduce({ do: "look", page, symbol });
}

/**
 * @param {Looker[]} here
 * @param {string} symbol of this page
 */
function drawHere(here, symbol) {
  const me = Number(document.body.dataset.person);
  const others = here.filter((one) => one.id !== me);
  const people = new Set(others.map((one) => one.id)).size;
  const together = new Set(others.filter((one) => symbol && one.symbol === symbol).map((one) => one.name));
  const badge = /** @type {HTMLElement | null} */ (document.querySelector("[data-here]"));
  if (badge) {
    badge.hidden = people === 0;
    badge.textContent = together.size ? `${[...together].join(", ")} here too` : `${people} more here`;
    badge.title = others.map((one) => `${one.name}: ${at(one)}`).join("\n");
  }
  for (const cell of document.querySelectorAll("[data-looks-at]")) {
    const of = Number(/** @type {HTMLElement} */ (cell).dataset.looksAt);
    const words = here.filter((one) => one.id === of).map(at).join(", ") || "–";
    if (cell.textContent !== words) cell.textContent = words;
  }
}

/** @param {Looker} one */
function at(one) {
  return one.symbol || NAMES[one.page] || one.page.replaceAll("_", " ");
}

/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const waiting = new Map();

/**
 * Ask for this page again and take the list out of it: what is new appears, and filters and place stay.
 * @param {string} selector
 */
function redraw(selector) {
  const list = document.querySelector(selector);
  if (!list || waiting.has(selector)) return;
  waiting.set(selector, setTimeout(async () => {
    waiting.delete(selector);
    try {
      const answer = await fetch(location.href, { signal: AbortSignal.timeout(8000), redirect: "error" });
      if (!answer.ok) return; // the old list stays; the next change asks again
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector(selector);
      if (fresh) morph(list, fresh);
    } catch {
      return; // the same
    }
  }, PATIENCE));
}
