// @ts-check
// The keys of the sheet that `?` shows. Ignored while typing, while a key repeats and with modifiers.

const PLACES = /** @type {Record<string, string>} */ ({ o: "/", m: "/markets/", t: "/trade/", k: "/keys/" });
const TABS = /** @type {Record<string, string>} */ ({ p: "positions", o: "orders", t: "triggers", f: "fills" });
let going = 0; // when `g` was pressed

export function start() {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return escape(target);
    if (target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select") || document.querySelector("dialog[open]")) return;
    if (press(event.key)) event.preventDefault();
  });
}

/**
 * @param {string} key
 * @returns {boolean} whether the key meant something
 */
function press(key) {
  if (Date.now() - going < 1500 && PLACES[key]) {
    location.assign(PLACES[key]);
    return true;
  }
  going = key === "g" ? Date.now() : 0;
  if (key === "g") return true;
  if (key === "?") { /** @type {HTMLDialogElement} */ (document.getElementById("keys-sheet")).showModal(); return true; }
  if (key === "/") return focus("[data-search]");
  if (key === "b" || key === "s") return choose("side", key === "b" ? "buy" : "sell");
  if (key === "l" || key === "m") return choose("type", key === "l" ? "limit" : "market");
  if (TABS[key]) return tab(TABS[key]);
  if (key === "[" || key === "]") return next("[data-resolution]", key === "]" ? 1 : -1, "[aria-pressed=true]");
  if (key === "v") return next("[name=form]", 1, ":checked");
  if (key === "d") return next("[name=shows]", 1, ":checked");
  if (key === "n") return next("[data-watched]", 1, "[aria-current]");
  if (key === "h" || key === "c") return open(key === "h" ? ".switches .halt" : "[hx-get*='/orders/cancel/']");
  return false;
}

/** Shows a table of the account and goes into it. @param {string} name */
function tab(name) {
  const choice = /** @type {HTMLInputElement | null} */ (document.querySelector(`[name=tab][value="${name}"]`));
  if (!choice) return false;
  const part = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=view][value=account]"));
  if (part?.offsetParent && !part.checked) part.click();
  choice.click();
  choice.focus();
  return true;
}

/**
 * Presses the one after (or before) the chosen one of a row of choices; after the last comes the first.
 * @param {string} selector
 * @param {number} way
 * @param {string} chosen
 */
function next(selector, way, chosen) {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(selector)]);
  const now = all.findIndex((one) => one.matches(chosen));
  all.at((now + way) % all.length)?.click();
  return all.length > 0;
}

/** Opens a sheet that takes risk away. @param {string} selector */
function open(selector) {
  const button = /** @type {HTMLElement | null} */ (document.querySelector(selector));
  button?.click();
  return Boolean(button);
}

/** @param {string} selector */
function focus(selector) {
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector(selector));
  field?.focus();
  field?.select();
  return Boolean(field);
}

/**
 * @param {string} name
 * @param {string} value
 */
function choose(name, value) {
  const choice = /** @type {HTMLInputElement | null} */ (document.querySelector(`#ticket [name="${name}"][value="${value}"]`));
  if (!choice || choice.disabled || choice.matches(":disabled")) return false;
  showTicket();
  choice.click();
  return focus("#ticket [name=size]");
}

export function showTicket() {
  const tab = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=view][value=ticket]"));
  if (tab && tab.offsetParent && !tab.checked) tab.click();
}

/** @param {HTMLElement} target */
function escape(target) {
  if (target.matches("input, textarea, select")) target.blur();
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.removeAttribute("open");
}
