// @ts-check
// A day's prices as a small line beside an instrument: every `data-spark` canvas on the page. Only the shape is drawn.

import { dress } from "./palette.js";

const EVERY = 120000;
const MOST = 20; // lines asked for at once

/** @type {Map<string, number[]>} */
const known = new Map();
/** @type {import("./palette.js").Palette} */
let look;

export function start() {
  dress((colours) => { look = colours; draw(); });
  ask();
  setInterval(() => document.hidden || ask(), EVERY);
}

/** Asks for the lines of the page; call it again after rows were added. */
export async function ask() {
  const symbols = [...new Set([...canvases()].map((one) => one.dataset.spark ?? ""))];
  for (let at = 0; at < symbols.length; at += MOST) {
    const query = new URLSearchParams({ symbols: symbols.slice(at, at + MOST).join(",") });
    const told = await fetch(`/charts/sparklines.json?${query}`, { signal: AbortSignal.timeout(15000), redirect: "error" })
      .then((answer) => (answer.ok ? answer.json() : {}), () => ({})); // without an answer the old lines stay
    for (const [symbol, closes] of Object.entries(told)) known.set(symbol, closes);
    draw();
  }
}

const canvases = () => /** @type {NodeListOf<HTMLCanvasElement>} */ (document.querySelectorAll("canvas[data-spark]"));

function draw() {
  for (const canvas of canvases()) line(canvas, known.get(canvas.dataset.spark ?? "") ?? []);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number[]} closes
 */
function line(canvas, closes) {
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const { width, height } = canvas;
  brush.clearRect(0, 0, width, height);
  if (closes.length < 2) return;
  const [low, high] = [Math.min(...closes), Math.max(...closes)];
  const y = (/** @type {number} */ close) => height - 3 - ((close - low) / (high - low || 1)) * (height - 6);
  const up = /** @type {number} */ (closes.at(-1)) >= closes[0];
  brush.strokeStyle = up ? look.gain : look.loss;
  brush.lineWidth = 2;
  brush.beginPath();
  closes.forEach((close, at) => brush.lineTo((at / (closes.length - 1)) * width, y(close)));
  brush.stroke();
  canvas.dataset.drawn = up ? "up" : "down";
}
