// @ts-check
// All instruments, live: search, favourites, sorting. A thousand changes a second cost one pass a frame.

import { watch } from "./live.js";
import { scaled, sign } from "./numbers.js";
import { nextFrame, paint, written } from "./rows.js";
import * as sparklines from "./sparklines.js";

const table = /** @type {HTMLTableElement | null} */ (document.getElementById("markets"));
if (table) start(table);

/** @param {HTMLTableElement} table */
function start(table) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map(readRow);
  const bySymbol = new Map(rows.map((row) => [row.symbol, row]));
  watch(table.dataset.streamOf ?? "", (data) => {
    for (const symbol in data) {
      const row = bySymbol.get(symbol);
      if (row) learn(row, data[symbol]);
    }
  });
  onlyWhatIsSeen(rows);
  const shown = /** @type {HTMLElement} */ (document.querySelector("[data-shown]"));
  const search = /** @type {HTMLInputElement} */ (document.getElementById("search"));
  const only = /** @type {HTMLInputElement} */ (document.querySelector("[data-only-favourites]"));
  const filter = () => { shown.textContent = String(narrow(rows, search.value, only.checked)); };
  search.addEventListener("input", filter);
  only.addEventListener("change", filter);
  table.addEventListener("htmx:after:swap", () => { filter(); sparks(rows); sparklines.ask(); });
  sparks(rows);
  sparklines.start();
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") rows.find((row) => !row.element.hidden)?.element.querySelector("a")?.click();
  });
  for (const button of table.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      sort(table, body, rows, /** @type {HTMLElement} */ (button));
    });
  }
}

/** @typedef {ReturnType<typeof readRow>} Row */

/** A favourite has its last day beside its name. @param {Row[]} rows */
function sparks(rows) {
  for (const { element, symbol } of rows) {
    const old = element.querySelector("canvas");
    const liked = element.querySelector(".star")?.getAttribute("aria-pressed") === "true";
    if (!liked) old?.remove();
    if (!liked || old) continue;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 96, height: 40, className: "spark" });
    canvas.dataset.spark = symbol;
    canvas.setAttribute("aria-hidden", "true");
    element.cells[1].append(canvas);
  }
}

/** @param {HTMLTableRowElement} element */
function readRow(element) {
  const cells = /** @type {HTMLElement[]} */ ([...element.querySelectorAll("[data-field]")]);
  return {
    element,
    symbol: element.dataset.symbol ?? "",
    words: element.dataset.words ?? "",
    places: Number(element.dataset.places),
    cells: cells.map((cell) => ({ cell, field: cell.dataset.field ?? "", data: { ...cell.dataset }, drawn: cell.dataset.value ?? "" })),
    seen: true,
    late: false,
    /** @type {Record<string, string>} */
    values: Object.fromEntries(cells.map((cell) => [cell.dataset.field, cell.dataset.value ?? ""])),
  };
}

/**
 * Every value is kept, for sorting too; only a row that can be seen is written at once, the others when they come into view.
 * @param {Row} row
 * @param {Record<string, string>} news
 */
function learn(row, news) {
  Object.assign(row.values, news);
  row.late = true;
  if (row.seen) draw(row);
}

/** @param {Row} row */
function draw(row) {
  row.late = false;
  for (const cell of row.cells) {
    const value = row.values[cell.field];
    if (value === undefined || value === null || value === cell.drawn) continue;
    cell.drawn = value;
    paint(cell.cell, written(cell.data, value, row.places));
    if (cell.data.form === "change") tone(cell.cell, sign(value));
  }
}

/** @param {Row[]} rows */
function onlyWhatIsSeen(rows) {
  const byElement = new Map(rows.map((row) => [/** @type {Element} */ (row.element), row]));
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const row = byElement.get(entry.target);
      if (!row) continue;
      row.seen = entry.isIntersecting;
      if (row.seen && row.late) draw(row);
    }
  }, { rootMargin: "200px" });
  for (const row of rows) observer.observe(row.element);
}

/**
 * @param {HTMLElement} cell
 * @param {number} way
 */
function tone(cell, way) {
  const name = way > 0 ? "gain" : way < 0 ? "loss" : "";
  if ((cell.dataset.tone ?? "") === name) return;
  cell.dataset.tone = name;
  nextFrame(() => { cell.classList.toggle("gain", way > 0); cell.classList.toggle("loss", way < 0); });
}

/**
 * @param {Row[]} rows
 * @param {string} text
 * @param {boolean} favourites
 * @returns {number} how many are left
 */
function narrow(rows, text, favourites) {
  const words = text.toLowerCase().replaceAll("btc", "xbt").split(/\s+/).filter(Boolean);
  let left = 0;
  for (const row of rows) {
    const liked = row.element.querySelector(".star")?.getAttribute("aria-pressed") === "true";
    const found = words.every((word) => row.words.replaceAll("btc", "xbt").includes(word)) && (!favourites || liked);
    row.element.hidden = !found;
    if (found) left += 1;
  }
  const none = document.querySelector("[data-none]");
  if (none) /** @type {HTMLElement} */ (none).hidden = left > 0;
  return left;
}

/**
 * @param {HTMLTableElement} table
 * @param {HTMLTableSectionElement} body
 * @param {Row[]} rows
 * @param {HTMLElement} button
 */
function sort(table, body, rows, button) {
  const heading = /** @type {HTMLElement} */ (button.closest("th"));
  const field = button.dataset.sort ?? "symbol";
  const before = heading.getAttribute("aria-sort");
  const way = before === "descending" || (before === "none" && field === "symbol") ? "ascending" : "descending";
  for (const other of table.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", way);
  const sorted = [...rows].sort((a, b) => compare(a, b, field) * (way === "ascending" ? 1 : -1));
  body.append(...sorted.map((row) => row.element));
}

/**
 * @param {Row} a
 * @param {Row} b
 * @param {string} field
 */
function compare(a, b, field) {
  if (field === "symbol") return a.symbol < b.symbol ? -1 : 1;
  const [one, two] = [a.values[field], b.values[field]];
  if (!one || !two) return (one ? 1 : 0) - (two ? 1 : 0);
  const difference = scaled(one, 12) - scaled(two, 12);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}
