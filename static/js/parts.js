// @ts-check
// The account's own figures are drawn by the server. When its feed says that something moved, the parts it touches are
// asked for again, at most once a second, and morphed in place.

import { now, watch } from "./live.js";
import { ageText } from "./link.js";
import { morph } from "./morph.js";
import { bind } from "./rows.js";

const TOUCHES = /** @type {Record<string, string[]>} */ ({
  order: ["orders", "triggers", "history", "activity", "budget"],
  fill: ["fills", "orders", "triggers", "history", "positions"],
  positions: ["positions", "figures"],
  wallets: ["wallets", "figures"],
  halt: ["switches"],
  deadman: ["switches"],
});
const EVERY = 1000;
const DRAWN = 1000; // a page as young as this was drawn with what the first snapshot tells

/** @type {Set<string>} */
const wanted = new Set();
let timer = 0;
let lastAt = 0;
let busy = false;

export function start() {
  setInterval(ages, 1000);
  ages();
  const account = document.body.dataset.account;
  if (!account) return;
  let first = true;
  watch(`account:${account}`, (data, message) => {
    if (message.k === "snap") {
      const drawnWithIt = first && performance.now() < DRAWN; // else something may have moved before, or in a gap
      if (!drawnWithIt) refresh("figures", "wallets", "positions", "orders", "triggers", "fills", "history", "activity", "switches");
      first = false;
    } else {
      refresh(...(TOUCHES[data.kind] ?? []));
    }
  });
  document.body.addEventListener("orders-changed", () => refresh("orders", "triggers", "positions", "history", "activity", "budget"));
  document.body.addEventListener("account-changed", () => refresh("orders", "triggers", "positions", "history", "activity", "switches", "budget"));
  for (const tab of document.querySelectorAll("[name=tab]")) tab.addEventListener("change", () => refresh(/** @type {HTMLInputElement} */ (tab).value));
  document.addEventListener("visibilitychange", () => document.hidden || (wanted.size && soon()));
  for (const element of document.querySelectorAll("[data-every]")) {
    const { part = "", every } = /** @type {HTMLElement} */ (element).dataset;
    setInterval(() => document.hidden || refresh(part), Number(every) * 1000);
    refresh(part); // the page comes without it, sooner
  }
}

/** @param {string[]} names */
export function refresh(...names) {
  for (const name of names) {
    const part = /** @type {HTMLElement | null} */ (document.querySelector(`[data-part="${name}"]`));
    if (part && !("lazy" in part.dataset && !part.offsetParent)) wanted.add(name); // a lazy one only while it is seen
  }
  if (wanted.size && !document.hidden) soon();
}

function soon() {
  if (timer || busy) return;
  timer = setTimeout(fetchParts, Math.max(0, lastAt + EVERY - Date.now()));
}

async function fetchParts() {
  timer = 0;
  busy = true;
  lastAt = Date.now();
  const names = [...wanted];
  wanted.clear();
  try {
    const query = new URLSearchParams({ want: names.join(","), of: document.body.dataset.account ?? "" });
    const symbol = /** @type {HTMLElement | null} */ (document.querySelector("[data-part][data-symbol]"))?.dataset.symbol;
    if (symbol) query.set("symbol", symbol);
    const answer = await fetch(`/parts/?${query}`, { signal: AbortSignal.timeout(8000), redirect: "error" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    put(await answer.text());
  } catch {
    for (const name of names) wanted.add(name); // the old figures stay, with their age, and we ask again
    lastAt = Date.now() + 2000;
  } finally {
    busy = false;
    if (wanted.size && !document.hidden) soon();
  }
}

/** @param {string} html */
function put(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  for (const part of holder.content.querySelectorAll("template[data-for]")) {
    const { for: name } = /** @type {HTMLElement} */ (part).dataset;
    const target = document.querySelector(`[data-part="${name}"]`);
    if (!target) continue;
    morph(target, /** @type {HTMLTemplateElement} */ (part).content);
    // @ts-ignore htmx is a global of its own script
    window.htmx?.process(target);
  }
  for (const count of document.querySelectorAll("[data-count]")) {
    const { count: name } = /** @type {HTMLElement} */ (count).dataset;
    const told = document.querySelector(`[data-part="${name}"] .count`)?.textContent ?? "";
    if (told && count.textContent !== told) count.textContent = told;
  }
  bind();
  ages();
  document.dispatchEvent(new CustomEvent("parts-changed"));
}

/** What is older than its promise says how old it is. */
function ages() {
  for (const found of document.querySelectorAll("[data-at]")) {
    const element = /** @type {HTMLElement} */ (found);
    const at = Number(element.dataset.at);
    const age = now() - at;
    const fresh = Boolean(at) && age < Number(element.dataset.promise) * 1000;
    const trouble = element.dataset.trouble && !fresh ? ` · ${element.dataset.trouble}` : "";
    const words = (at ? ageText(age) : "not read yet") + trouble;
    if (element.textContent !== words) element.textContent = words;
    element.classList.toggle("fresh", fresh);
    element.closest(".panel")?.querySelector(".figures")?.classList.toggle("old", Boolean(at) && !fresh);
  }
}
