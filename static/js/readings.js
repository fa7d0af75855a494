// @ts-check
// Funding, open interest and premium with their history: a curve, and the same as a table.

import { fixed, rate, scaled, unscaled } from "./numbers.js";

/** @typedef {[number, string, string, string, string]} Reading seconds, open, high, low, close */

const EVERY = 60000;
const HOURS = 8760; // of a year

const zone = document.documentElement.dataset.zone || "UTC";
// Swedish writes times as the desk does: 2026-11-22 14:07.
const when = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZone: zone });

/** How each measure is written: the columns of its table after the time. */
const WRITTEN = /** @type {Record<string, (row: Reading, places: number) => string[]>} */ ({
  funding: ([, , high, low, close]) => [rate(close, 5), yearly(close), rate(high, 5), rate(low, 5)],
  open_interest: ([, open, high, low, close], places) => [close, change(open, close), high, low].map((text, at) => fixed(text, places, at === 1)),
  premium: ([, , , , close]) => [rate(close, 4)],
});

export class Readings {
  /**
   * @param {HTMLElement} panel
   * @param {{symbol: string, sizePlaces: number}} about
   */
  constructor(panel, { symbol, sizePlaces }) {
    this.panel = panel;
    this.measure = panel.dataset.readings ?? "";
    this.address = `/charts/${symbol}/readings/${this.measure}.json`;
    this.places = sizePlaces;
    this.percent = this.measure !== "open_interest";
    this.holder = /** @type {HTMLElement} */ (panel.querySelector(".curve"));
    this.body = /** @type {HTMLTableSectionElement} */ (panel.querySelector("tbody"));
    this.note = /** @type {HTMLElement} */ (panel.querySelector("[data-note]"));
    this.more = /** @type {HTMLButtonElement} */ (panel.querySelector("[data-earlier]"));
    /** @type {Reading[]} */
    this.rows = []; // oldest first
    this.step = "1h";
    this.asked = 0;
    this.timer = 0;
    /** @type {import("./curve.js").Curve | null} */
    this.plot = null;
    this.more.addEventListener("click", () => this.rows.length && this.ask(String(this.rows[0][0])));
    for (const button of panel.querySelectorAll("[data-step]")) button.addEventListener("click", () => this.choose(button));
  }

  /** Read only while it is seen. @param {boolean} seen */
  show(seen) {
    clearInterval(this.timer);
    if (!seen) return;
    this.ask();
    this.timer = setInterval(() => document.hidden || this.ask(), EVERY);
  }

  /** @param {Element} button */
  choose(button) {
    for (const other of this.panel.querySelectorAll("[data-step]")) other.setAttribute("aria-pressed", String(other === button));
    this.step = button.getAttribute("data-step") ?? "1h";
    this.rows = [];
    this.ask();
  }

  /** @param {string} [before] epoch seconds: the history that ends there */
  async ask(before = "") {
    const asking = ++this.asked;
    try {
      const query = new URLSearchParams({ step: this.step, ...(before && { before }) });
      const answer = await fetch(`${this.address}?${query}`, { signal: AbortSignal.timeout(10000), redirect: "error" });
      const told = await answer.json();
      if (asking !== this.asked) return;
      this.note.textContent = told.message ?? (before && !told.readings.length ? "This is the beginning." : "");
      if (!answer.ok) return;
      this.take(told.readings, Boolean(before));
      await this.draw();
    } catch {
      if (asking === this.asked) this.note.textContent = "This history did not arrive. Asking again in a minute.";
    }
  }

  /**
   * @param {Reading[]} fresh oldest first
   * @param {boolean} earlier
   */
  take(fresh, earlier) {
    const first = (earlier ? this.rows[0] : fresh[0])?.[0] ?? 0;
    const before = (/** @type {Reading} */ row) => row[0] < first;
    this.rows = earlier ? [...fresh.filter(before), ...this.rows] : [...this.rows.filter(before), ...fresh];
    this.more.disabled = !this.rows.length || (earlier && !fresh.length);
    const texts = this.rows.map((row) => [when.format(row[0] * 1000), ...WRITTEN[this.measure](row, this.places)]);
    this.body.replaceChildren(...texts.reverse().map(line));
  }

  async draw() {
    const { curve } = await import("./curve.js"); // only who looks at it loads what draws it
    const value = (/** @type {number | null} */ drawn) => (drawn === null ? "–" : this.written(drawn, 5));
    this.plot ??= curve(this.holder, {
      label: "Time", x: (at) => when.format(at * 1000), axis: days, y: (drawn) => this.written(drawn, this.percent ? 4 : 0),
      series: [{ label: this.panel.dataset.label ?? "", stroke: "accent", fill: "accentWash", ...(this.measure === "funding" ? { stepped: 1 } : {}), value }],
    });
    this.plot.draw([this.rows.map((row) => row[0]), this.rows.map((row) => Number(row[4]) * (this.percent ? 100 : 1))]);
    this.holder.dataset.points = String(this.rows.length);
  }

  /**
   * @param {number} drawn
   * @param {number} places
   */
  written(drawn, places) {
    const decimals = this.percent ? places : Math.min(places, this.places);
    return fixed(drawn.toFixed(decimals), decimals) + (this.percent ? " %" : "");
  }
}

/** A day is written once, where it begins. @param {number[]} marks epoch seconds */
function days(marks) {
  const texts = marks.map((at) => when.format(at * 1000).slice(5, 10));
  return texts.map((text, at) => (text === texts[at - 1] ? "" : text));
}

/** @param {string[]} texts */
function line(texts) {
  const row = document.createElement("tr");
  for (const [at, text] of texts.entries()) {
    const cell = row.insertCell();
    cell.textContent = text;
    if (at) cell.className = "num";
  }
  return row;
}

/** What an hourly rate comes to in a year, without compounding. @param {string} hourly */
function yearly(hourly) {
  return `${fixed(unscaled(scaled(hourly, 14) * BigInt(HOURS) * 100n, 14), 2, true)} %`;
}

/**
 * @param {string} from
 * @param {string} to
 */
function change(from, to) {
  return unscaled(scaled(to, 10) - scaled(from, 10), 10);
}
