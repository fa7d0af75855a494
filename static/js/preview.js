// @ts-check
// What the order would do: asked of the desk while somebody types, and again as the market moves. The newest question
// wins; an older one still on its way is dropped.

import { fixed, placesOf, scaled, typed, unscaled } from "./numbers.js";

const PAUSE = 120; // after the last key
const AGAIN = 2000; // while the ticket is filled and the page is seen

/** @type {AbortController | null} */
let asking = null;
let timer = 0;
let asked = ""; // what the figures shown were asked with
/** @type {{kind: string, price: (form: HTMLFormElement) => string}} */
let market;

const ticket = () => /** @type {HTMLFormElement | null} */ (document.getElementById("ticket"));

/** @param {typeof market} about `price` is the one the order would be worth its value at */
export function start(about) {
  market = about;
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  document.addEventListener("click", shares);
  document.addEventListener("htmx:after:swap", () => { worth(); soon(0); });
  document.addEventListener("parts-changed", () => soon(0));
  setInterval(() => { if (!document.hidden && known()) soon(0); }, AGAIN);
  worth();
  soon(0);
}

const known = () => Boolean(document.querySelector("#preview[data-known]"));

/** @param {Event} event */
function changed(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (!target.closest("#ticket")) return;
  if (target.matches("[data-notional]")) sized();
  else worth();
  soon(PAUSE);
}

/** @param {number} pause milliseconds */
function soon(pause) {
  clearTimeout(timer);
  timer = setTimeout(() => ask(), pause);
}

/** @param {string} [share] percent of what is available, to be turned into a size */
async function ask(share = "") {
  const form = ticket();
  const holder = /** @type {HTMLElement | null} */ (form?.querySelector("[data-preview-url]"));
  if (!form || !holder || form.dataset.locked) return;
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && value && name !== "intent" && name !== "csrfmiddlewaretoken") query.set(name, value);
  }
  if (!query.get("size") && !share) { if (asked) show(holder, ""); asked = ""; return; }
  if (share) query.set("share", share);
  asking?.abort();
  const mine = asking = new AbortController();
  try {
    const answer = await fetch(`${holder.dataset.previewUrl}?${query}`, { signal: AbortSignal.any([mine.signal, AbortSignal.timeout(5000)]), redirect: "error" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const size = answer.headers.get("X-Size");
    const html = await answer.text();
    if (mine.signal.aborted || !holder.isConnected) return;
    if (size) fillSize(form, size);
    show(holder, html);
    asked = String(query);
  } catch {
    if (!mine.signal.aborted) holder.classList.add("old"); // the figures are of an earlier moment, and look like it
  }
}

/**
 * @param {HTMLElement} holder
 * @param {string} html of our own desk; empty takes the figures away
 */
function show(holder, html) {
  holder.classList.remove("old");
  if (html) { holder.innerHTML = html; return; }
  for (const figure of holder.querySelectorAll("dd")) figure.textContent = "–";
  holder.querySelector("#preview")?.removeAttribute("data-known");
  holder.querySelector(".caveats")?.replaceChildren();
}

/** @param {MouseEvent} event */
function shares(event) {
  const chip = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest("#ticket [data-share]"));
  if (chip) { clearTimeout(timer); ask(chip.dataset.share); }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} size
 */
function fillSize(form, size) {
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("size"));
  if (field.value === size) return;
  field.value = size;
  field.removeAttribute("aria-invalid");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Writes the value of the size beside it. */
function worth() {
  const form = ticket();
  const value = /** @type {HTMLInputElement | null | undefined} */ (form?.querySelector("[data-notional]"));
  if (!form || !value || value === document.activeElement) return;
  const size = typed(/** @type {HTMLInputElement} */ (form.elements.namedItem("size")).value);
  const price = market.price(form);
  if (!size) value.value = "";
  else if (market.kind === "inverse") value.value = fixed(size, 0);
  else value.value = price ? fixed(unscaled(scaled(size, 10) * scaled(price, 10), 20), 2) : "";
}

/** A value in dollars as a size, rounded down to the lot. */
function sized() {
  const form = ticket();
  const value = typed(/** @type {HTMLInputElement} */ (form?.querySelector("[data-notional]")).value);
  if (!form || !value) return;
  const price = market.kind === "inverse" ? "1" : market.price(form);
  if (!price || !/[1-9]/.test(price)) return;
  const step = /** @type {HTMLInputElement} */ (form.elements.namedItem("size")).dataset.step || "1";
  const places = placesOf(step);
  const one = scaled(step, places);
  const exact = (scaled(value, 10) * 10n ** BigInt(places)) / scaled(price, 10);
  fillSize(form, unscaled((exact / one) * one, places));
}
