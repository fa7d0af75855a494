// @ts-check
// The equity of an account over time: a curve, and where there is room the same as a table.

import { curve } from "./curve.js";
import { fixed } from "./numbers.js";

const EVERY = 60000;
const zone = document.documentElement.dataset.zone || "UTC";
// Swedish writes times as the desk does: 2026-11-22 14:07.
const when = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZone: zone });
const day = new Intl.DateTimeFormat("sv-SE", { month: "2-digit", day: "2-digit", timeZone: zone });
const hour = new Intl.DateTimeFormat("sv-SE", { hour: "2-digit", minute: "2-digit", timeZone: zone });

const panel = /** @type {HTMLElement | null} */ (document.querySelector("[data-equity]"));
if (panel) begin(panel);

/** @param {HTMLElement} panel */
function begin(panel) {
  const note = /** @type {HTMLElement} */ (panel.querySelector("[data-note]"));
  const said = note.textContent ?? "";
  let short = false; // a curve of a day or less names hours, a longer one days
  const at = (/** @type {number} */ drawn) => when.format(drawn * 1000);
  const plot = curve(/** @type {HTMLElement} */ (panel.querySelector(".curve")), {
    label: "Time",
    x: at,
    axis: (drawn) => drawn.map((one) => (short ? hour : day).format(one * 1000)),
    y: (drawn) => fixed(drawn.toFixed(0), 0),
    series: [{ label: "Equity, USD", stroke: "accent", fill: "accentWash", value: (drawn) => (drawn === null ? "–" : fixed(drawn.toFixed(2), 2)) }],
  });

  async function ask() {
    try {
      const answer = await fetch(panel.dataset.equity ?? "", { signal: AbortSignal.timeout(10000), redirect: "error" });
      const told = await answer.json();
      short = told.points.length > 1 && told.points.at(-1)[0] - told.points[0][0] < 86400;
      if (told.points.length > 1) plot.draw([told.points.map((/** @type {any[]} */ row) => row[0]), told.points.map((/** @type {any[]} */ row) => Number(row[1]))]);
      fill(told.points);
      note.textContent = told.points.length > 1 ? said : "The curve grows with a point every five minutes; there are not two yet.";
      const fall = panel.querySelector("[data-drawdown]");
      if (fall) fall.textContent = told.share === null ? "" : `Deepest fall ${fixed(told.drawdown, 2)} USD (${fixed((Number(told.share) * 100).toFixed(2), 2)} %)`;
    } catch {
      note.textContent = "The curve did not arrive. Asking again in a minute.";
    }
  }

  /** @param {[number, string, string, string][]} points */
  function fill(points) {
    const body = panel.querySelector("details tbody"); // the overview leaves the table to the reports
    body?.replaceChildren(...points.slice(-200).reverse().map(([seconds, ...figures]) => {
      const row = document.createElement("tr");
      const cells = [at(seconds), ...figures.map((one) => fixed(one, 2))];
      cells.forEach((text, place) => {
        const cell = row.insertCell();
        cell.textContent = text;
        if (place) cell.className = "num";
      });
      return row;
    }));
  }

  ask();
  setInterval(() => document.hidden || ask(), EVERY);
}
