// @ts-check
// The queue, or one withdrawal: when something about it moved, and every half minute for the time that is left, the
// server draws the living part anew. A request whose payload changed is loaded whole, so that the page says what did.

import { watch } from "./live.js";
import { morph } from "./morph.js";

const EVERY = 30_000;
const PAUSE = 500; // a vote that makes it ready moves the row several times

const part = /** @type {HTMLElement | null} */ (document.querySelector("[data-withdrawals]"));
let timer = 0;

for (const account of part?.dataset.withdrawals?.split(" ").filter(Boolean) ?? []) {
  watch(`account:${account}`, (data, message) => {
    if (message.k === "snap" || data.kind === "withdrawal") soon();
  });
}
if (part) setInterval(soon, EVERY);
document.addEventListener("visibilitychange", () => document.hidden || soon());

function soon() {
  if (!timer && !document.hidden) timer = setTimeout(draw, PAUSE);
}

async function draw() {
  timer = 0;
  if (!part) return;
  try {
    const answer = await fetch(location.href, { headers: { "X-Part": "live" }, signal: AbortSignal.timeout(8000), redirect: "error" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    put(part, await answer.text());
  } catch {
    setTimeout(soon, 2000); // what is shown stays; the badge of the link says when it is broken
  }
}

/**
 * @param {HTMLElement} target
 * @param {string} html
 */
function put(target, html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  if (shows(holder.content) !== shows(target)) return location.reload();
  morph(target, holder.content);
}

/** @param {DocumentFragment | HTMLElement} where */
function shows(where) {
  return /** @type {HTMLElement | null} */ (where.querySelector("[data-shows]"))?.dataset.shows ?? "";
}
