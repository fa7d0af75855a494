// @ts-check
// Funding, open interest and premium with their history: a curve, and the same as a table.

import { curve } from "./curve.js";
import { fixed, rate, scaled, unscaled } from "./numbers.js";

/** @typedef {[number, string, string, string, string]} Reading seconds, open, high, low, close */

const EVERY = 60000;
const HOURS = 8760; // of a year

const zone = document.documentElement.dataset.zone || "UTC";
// Swedish writes times as the desk does: 2026-11-22 14:07.
const when = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZone: zone });
const day = new Intl.DateTimeFormat("sv-SE", { month: "2-digit", day: "2-digit", timeZone: zone });

/** How each measure is written: the columns of its table after the time. */
const WRITTEN = /** @type {Record<string, (row: Reading, places: number) => string[]>} */ ({
  funding: ([, , high, low, close]) => [rate(close, 5), yearly(close), rate(high, 5), rate(low, 5)],
  open_interest: ([, open, high, low, close], places) => [close, change(open, close), high, low].map((text, at) => fixed(text, places, at === 1)),
  premium: ([, , , , close]) => [rate(close, 4)],
});

/**
 * @param {HTMLElement} panel
 * @param {{symbol: string, sizePlaces: number}} about
 */
export function start(panel, { symbol, sizePlaces }) {
  const measure = panel.dataset.readings ?? "";
  const holder = /** @type {HTMLElement} */ (panel.querySelector(".curve"));
  const body = /** @type {HTMLTableSectionElement} */ (panel.querySelector("tbody"));
  const note = /** @type {HTMLElement} */ (panel.querySelector("[data-note]"));
  const more = /** @type {HTMLButtonElement} */ (panel.querySelector("[data-earlier]"));
  const percent = measure !== "open_interest";
  const label = panel.dataset.label ?? "";
  /** @type {Reading[]} */
  let rows = [];
  let step = "1h";
  let asked = 0;
  let timer = 0;
  /** @type {ReturnType<typeof curve> | null} */
  let plot = null;

  const value = (/** @type {number | null} */ drawn) => {
    if (drawn === null) return "–";
    return percent ? `${fixed(drawn.toFixed(5), 5, true)} %` : fixed(drawn.toFixed(sizePlaces), sizePlaces);
  };
  const short = (/** @type {number} */ drawn) => (percent ? `${fixed(drawn.toFixed(4), 4)} %` : fixed(drawn.toFixed(0), 0));

  async function ask(before = "") {
    const asking = ++asked;
    try {
      const query = new URLSearchParams({ step, ...(before && { before }) });
      const answer = await fetch(`/charts/${symbol}/readings/${measure}.json?${query}`, { signal: AbortSignal.timeout(10000), redirect: "error" });
      const told = await answer.json();
      if (asking !== asked) return;
      note.textContent = told.message ?? (before && !told.readings.length ? "This is the beginning." : "");
      if (answer.ok) take(told.readings, Boolean(before));
    } catch {
      if (asking === asked) note.textContent = "This history did not arrive. Asking again in a minute.";
    }
  }

  /**
   * @param {Reading[]} fresh oldest first
   * @param {boolean} earlier
   */
  function take(fresh, earlier) {
    const first = (earlier ? rows[0] : fresh[0])?.[0] ?? 0;
    rows = earlier ? [...fresh.filter((row) => row[0] < first), ...rows] : [...rows.filter((row) => row[0] < first), ...fresh];
    more.disabled = !rows.length || (earlier && !fresh.length);
    plot ??= curve(holder, {
      label: "Time", x: (at) => when.format(at * 1000), axis: days, y: short,
      series: [{ label, stroke: "accent", fill: "accentWash", ...(measure === "funding" ? { stepped: 1 } : {}), value }],
    });
    plot.draw([rows.map((row) => row[0]), rows.map((row) => Number(row[4]) * (percent ? 100 : 1))]);
    body.replaceChildren(...[...rows].reverse().map((row) => line([when.format(row[0] * 1000), ...WRITTEN[measure](row, sizePlaces)])));
    holder.dataset.points = String(rows.length);
  }

  more.addEventListener("click", () => rows.length && ask(String(rows[0][0])));
  for (const button of panel.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => {
      for (const other of panel.querySelectorAll("[data-step]")) other.setAttribute("aria-pressed", String(other === button));
      step = button.getAttribute("data-step") ?? "1h";
      rows = [];
      ask();
    });
  }
  return {
    show(/** @type {boolean} */ seen) {
      clearInterval(timer);
      if (!seen) return;
      ask();
      timer = setInterval(() => document.hidden || ask(), EVERY);
    },
  };
}

/** A day is written once, where it begins. @param {number[]} marks epoch seconds */
function days(marks) {
  const texts = marks.map((at) => day.format(at * 1000));
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
