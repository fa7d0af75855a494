// @ts-check
// The dead man's switch in the frame: its countdown, and the word of a page that is seen, which keeps it renewed.

import { now } from "./live.js";

const SEEN_EVERY = 10000;

export function start() {
  setInterval(countdown, 500);
  setInterval(seen, SEEN_EVERY);
  document.addEventListener("visibilitychange", seen);
}

function countdown() {
  for (const found of document.querySelectorAll("[data-fires-at]")) {
    const element = /** @type {HTMLElement} */ (found);
    const left = Math.max(0, Math.ceil((Number(element.dataset.firesAt) - now()) / 1000));
    const words = element.dataset.firesAt ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : "–";
    if (element.textContent !== words) element.textContent = words;
  }
}

function seen() {
  const armed = /** @type {HTMLElement | null} */ (document.querySelector("[data-armed]"));
  const token = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"))?.value;
  if (!armed || !token || document.hidden) return;
  const body = new URLSearchParams({ csrfmiddlewaretoken: token, of: document.body.dataset.account ?? "" });
  // Should it not arrive, the next one will; when none does, the switch is for exactly that.
  fetch(armed.dataset.here ?? "", { method: "POST", body, redirect: "error", signal: AbortSignal.timeout(5000) }).catch(() => {});
}
