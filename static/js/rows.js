// @ts-check
// Changes to the page are gathered and written once a frame; a value that moved tints its own ground.

import { watch } from "./live.js";
import { NOTHING, fixed, rate, short, sign } from "./numbers.js";

/** @type {Map<HTMLElement, string>} */
const texts = new Map();
/** @type {(() => void)[]} */
const jobs = [];
let asked = false;

/**
 * Sets an element's text in the next frame; the newest wins.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function paint(element, text) {
  texts.set(element, text);
  ask();
}

/**
 * Runs in the next frame, after the texts.
 * @param {() => void} job
 */
export function nextFrame(job) {
  jobs.push(job);
  ask();
}

function ask() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(flush);
}

const moved = new Set();
let sweeping = 0;

function flush() {
  asked = false;
  for (const [element, text] of texts) {
    const node = element.firstChild;
    if (node instanceof Text && node === element.lastChild) {
      if (node.data === text) continue;
      const first = node.data === NOTHING;
      node.data = text;
      if (!first) tint(element);
    } else {
      element.textContent = text;
    }
  }
  texts.clear();
  for (const job of jobs.splice(0)) job();
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * For a quarter of a second; a value that moves again meanwhile stays tinted.
 * @param {HTMLElement} element
 */
export function tint(element) {
  if (still.matches) return;
  if (!moved.has(element)) {
    moved.add(element);
    element.classList.add("moved");
  }
  if (!sweeping) sweeping = setTimeout(sweep, 260);
}

function sweep() {
  sweeping = 0;
  for (const element of moved) element.classList.remove("moved");
  moved.clear();
}

/**
 * How an element writes its field.
 * @param {DOMStringMap} data
 * @param {string | null | undefined} value
 * @param {number} [places]
 */
export function written(data, value, places = Number(data.places ?? 2)) {
  switch (data.form) {
    case "change": return value ? `${fixed(value, 2, true)} %` : NOTHING;
    case "rate": return rate(value, 5);
    case "short": return short(value);
    default: return fixed(value, places);
  }
}

/**
 * Colours a result, in the next frame.
 * @param {HTMLElement} element
 * @param {string | null | undefined} value
 */
export function colour(element, value) {
  const way = value ? sign(value) : 0;
  nextFrame(() => {
    element.classList.toggle("gain", way > 0);
    element.classList.toggle("loss", way < 0);
  });
}

/** @type {Map<string, () => void>} */
const bound = new Map();

/** Connects every `data-stream` element on the page to its stream; call it again after the page has changed. */
export function bind() {
  /** @type {Set<string>} */
  const wanted = new Set();
  for (const element of document.querySelectorAll("[data-stream]")) {
    wanted.add(/** @type {HTMLElement} */ (element).dataset.stream ?? "");
  }
  for (const [name, stop] of bound) {
    if (name !== "marks" && !wanted.has(name)) { stop(); bound.delete(name); }
  }
  if (!bound.has("marks")) marks();
  for (const name of wanted) {
    if (!bound.has(name)) bound.set(name, watch(name, (data) => spread(name, data)));
  }
}

/** The marks in the table of positions move with the market. */
function marks() {
  if (!document.querySelector("[data-mark]")) return;
  bound.set("marks", watch(`tickers:${document.body.dataset.environment}`, (data) => {
    for (const found of document.querySelectorAll("[data-mark]")) {
      const cell = /** @type {HTMLElement} */ (found);
      const symbol = /** @type {HTMLElement} */ (cell.parentElement).dataset.position ?? "";
      if (data[symbol]?.mark) paint(cell, written(cell.dataset, data[symbol].mark));
    }
  }));
}

/**
 * @param {string} name
 * @param {any} data one ticker
 */
function spread(name, data) {
  for (const found of document.querySelectorAll(`[data-stream="${CSS.escape(name)}"]`)) {
    const element = /** @type {HTMLElement} */ (found);
    const value = data[element.dataset.field ?? ""];
    if (value === undefined || value === null) continue;
    paint(element, written(element.dataset, value));
    if (element.dataset.form === "change") colour(element, value);
  }
}
