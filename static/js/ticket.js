// @ts-check
// The ticket: the button is the sentence it will do; what was typed stays; an order not proven yet is watched.

import { best } from "./book.js";
import { onLink } from "./link.js";
import { watch } from "./live.js";
import { free, placesOf, scaled, typed, unscaled } from "./numbers.js";

const LIMITED = new Set(["limit", "post", "ioc", "fok"]);
const PRICES = new Set(["limit_price", "stop_price", "stop_loss", "take_profit"]);
const AGAIN = 1500; // while an order is not proven, it is asked for this often, should its event be lost
const MOST_NEWS = 100;

/** Orders that the feed spoke of since they were last looked at. @type {Set<string>} */
const news = new Set();
let looking = false;
/** @type {{symbol: string, places: number, kind: string, sizeUnit: string}} */
let market;
let stale = "";
let priced = "limit_price"; // the price field somebody was in last

/** @param {typeof market} about */
export function start(about) {
  market = about;
  document.addEventListener("input", (event) => within(event) && redraw());
  document.addEventListener("change", (event) => within(event) && redraw());
  document.addEventListener("click", click);
  document.addEventListener("focusin", (event) => {
    const { name } = /** @type {HTMLInputElement} */ (event.target);
    if (within(event) && PRICES.has(name)) priced = name;
  });
  document.addEventListener("htmx:before:request", sending);
  document.addEventListener("htmx:finally:request", rest);
  document.addEventListener("htmx:after:swap", () => { next(); redraw(); catchUp(); });
  const account = document.body.dataset.account;
  if (account) watch(`account:${account}`, (data) => data.kind === "order" && heard(data.id));
  setInterval(() => { const id = ticket()?.dataset.locked; if (id) look(id); }, AGAIN);
  onLink((state, why) => { stale = state === "stale" || state === "down" ? why : ""; redraw(); });
}

const ticket = () => /** @type {HTMLFormElement | null} */ (document.getElementById("ticket"));

/** @param {Event} event */
const within = (event) => /** @type {HTMLElement} */ (event.target).closest("#ticket");

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function value(form, name) {
  const field = form.elements.namedItem(name);
  return field instanceof RadioNodeList || field instanceof HTMLInputElement ? field.value : "";
}

/** Puts a price into the ticket, as if typed. @param {string} price */
export function fillPrice(price) {
  const form = ticket();
  if (!form || form.dataset.locked) return;
  const chosen = /** @type {HTMLInputElement | null} */ (form.elements.namedItem(priced));
  if (chosen?.offsetParent) return fill(form, priced, price); // seen: not hidden by the type
  if (["market", "trailing_stop"].includes(value(form, "type"))) pick(form, "type", "limit");
  const trigger = ["stop", "take_profit"].includes(value(form, "type"));
  fill(form, trigger ? "stop_price" : "limit_price", price);
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string} text
 */
function fill(form, name, text) {
  const field = form.elements.namedItem(name);
  if (!(field instanceof HTMLInputElement)) return;
  field.value = text;
  field.removeAttribute("aria-invalid");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string} choice
 */
function pick(form, name, choice) {
  const radio = /** @type {HTMLInputElement | null} */ (form.querySelector(`[name="${name}"][value="${choice}"]`));
  if (radio) radio.checked = true;
}

/** @param {MouseEvent} event */
function click(event) {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  if (!button) return;
  const form = button.closest("form");
  if (button.dataset.fill && form) return fill(/** @type {HTMLFormElement} */ (form), button.dataset.fill, button.dataset.value ?? "");
  if (!form || form.id !== "ticket") return;
  if (button.dataset.nudge) nudge(form, Number(button.dataset.nudge));
  if (button.dataset.price) fill(form, "limit_price", quick(form, button.dataset.price));
}

/**
 * One tick up or down.
 * @param {HTMLFormElement} form
 * @param {number} way
 */
function nudge(form, way) {
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("limit_price"));
  const step = field.dataset.step ?? "1";
  const from = typed(field.value) || best.bid;
  if (!from) return;
  const places = placesOf(step);
  const next = scaled(from, places) + BigInt(way) * scaled(step, places);
  if (next > 0n) fill(form, "limit_price", unscaled(next, places));
}

/**
 * @param {HTMLFormElement} form
 * @param {string} which
 */
function quick(form, which) {
  if (which !== "mid") return which === "bid" ? best.bid : best.ask;
  if (!best.bid || !best.ask) return "";
  const step = /** @type {HTMLInputElement} */ (form.elements.namedItem("limit_price")).dataset.step ?? "1";
  const places = placesOf(step);
  const one = scaled(step, places);
  const middle = (scaled(best.bid, places) + scaled(best.ask, places)) / 2n;
  return unscaled((middle / one) * one, places);
}

function redraw() {
  const form = ticket();
  if (!form) return;
  const warning = /** @type {HTMLElement} */ (form.querySelector("[data-stale-warning]"));
  warning.hidden = !stale;
  /** @type {HTMLElement} */ (warning.querySelector("[data-stale-why]")).textContent = stale;
  button(form);
}

/** @param {HTMLFormElement} form */
function button(form) {
  const submit = /** @type {HTMLButtonElement} */ (form.querySelector("[data-submit]"));
  const side = value(form, "side");
  submit.classList.toggle("buy", side === "buy");
  submit.classList.toggle("sell", side === "sell");
  submit.textContent = form.dataset.locked ? "Waiting for proof" : sentence(form);
}

/**
 * "Sell 2 000 PI_XBTUSD limit 61 250, reduce-only"
 * @param {HTMLFormElement} form
 */
function sentence(form) {
  const side = value(form, "side") === "sell" ? "Sell" : "Buy";
  const size = typed(value(form, "size"));
  const only = /** @type {HTMLInputElement} */ (form.elements.namedItem("reduce_only")).checked ? ", reduce-only" : "";
  return [side, size && free(size), market.symbol, how(form)].filter(Boolean).join(" ") + only;
}

/** @param {HTMLFormElement} form */
function how(form) {
  const type = value(form, "type");
  const at = (/** @type {string} */ name, /** @type {string} */ word) => {
    const price = typed(value(form, name));
    return price ? `${word} ${free(price)}` : "";
  };
  const attached = [at("stop_loss", "stop-loss"), at("take_profit", "take-profit")];
  const words = {
    market: ["at market", ...attached],
    stop: [at("stop_price", "stop") || "stop", at("limit_price", "limit")],
    take_profit: [at("stop_price", "take profit") || "take profit", at("limit_price", "limit")],
    trailing_stop: [`trailing stop ${at("trailing_deviation", "")} ${value(form, "trailing_unit") === "quote" ? "USD" : "%"}`],
  }[type] ?? [at("limit_price", type) || type, ...attached];
  return words.filter(Boolean).join(", ").replaceAll("  ", " ");
}

/** The price the order would be worth its value at. @param {HTMLFormElement} form */
export function priceOf(form) {
  const type = value(form, "type");
  if (type === "market" || type === "trailing_stop") return value(form, "side") === "buy" ? best.ask : best.bid;
  return typed(value(form, "limit_price")) || (LIMITED.has(type) ? "" : typed(value(form, "stop_price")));
}

/** Idle, sending, result: all in place. @param {Event} event */
function sending(event) {
  const form = ticket();
  if (event.target !== form || !form) return;
  const submit = /** @type {HTMLButtonElement} */ (form.querySelector("[data-submit]"));
  submit.textContent = "Sending";
  submit.disabled = true; // until the answer draws the ticket anew, or fails
  submit.dataset.sending = "";
  const status = /** @type {HTMLElement} */ (document.getElementById("ticket-result"));
  status.replaceChildren();
  const line = document.createElement("p");
  line.innerHTML = '<span class="state state-sending">Sending</span>';
  status.append(line);
}

/** The order is made, and only its result came: the ticket is emptied, for the intent that came with it. */
function next() {
  const form = ticket();
  const result = document.getElementById("ticket-result");
  const intent = result?.dataset.nextIntent;
  if (!form || !result || !intent) return;
  delete result.dataset.nextIntent;
  /** @type {HTMLInputElement} */ (form.elements.namedItem("intent")).value = intent;
  /** @type {HTMLInputElement} */ (form.elements.namedItem("reduce_only")).checked = false;
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("input.num"))) {
    field.value = "";
    field.removeAttribute("aria-invalid");
  }
  for (const choice of form.querySelectorAll("select")) choice.selectedIndex = 0;
  for (const error of form.querySelectorAll("fieldset .error")) error.replaceChildren();
  for (const old of form.querySelectorAll("fieldset .errorlist, [data-fill]")) old.remove();
  for (const attached of form.querySelectorAll("details[open]")) attached.removeAttribute("open");
  const submit = /** @type {HTMLButtonElement} */ (form.querySelector("[data-submit]"));
  submit.disabled = false;
  delete submit.dataset.sending;
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Whatever came of a request: a ticket that was not drawn anew can be used again. */
function rest() {
  const submit = /** @type {HTMLButtonElement | null | undefined} */ (ticket()?.querySelector("[data-submit][data-sending]"));
  if (submit) {
    submit.disabled = false;
    delete submit.dataset.sending;
    unheard();
  }
  redraw();
}

/** The same intent stays in the ticket, so pressing again can only find the first order. */
function unheard() {
  const status = /** @type {HTMLElement} */ (document.getElementById("ticket-result"));
  status.textContent = "The desk did not say what became of it. What you typed is still there. Pressing the button again is safe: one ticket makes at most one order.";
}

/** The feed may speak of an order before its answer is drawn, or while it is looked at. @param {string} id */
function heard(id) {
  if (news.size >= MOST_NEWS) news.clear();
  news.add(id);
  catchUp();
}

/** Look at the order that is shown, for as long as there is news of it. */
async function catchUp() {
  const id = document.getElementById("ticket-result")?.dataset.result ?? "";
  if (looking || !news.delete(id)) return;
  looking = true;
  await look(id).finally(() => { looking = false; });
  catchUp();
}

/** What has become of the order in the ticket. @param {string} id */
async function look(id) {
  const form = ticket();
  const result = document.getElementById("ticket-result");
  if (!form || result?.dataset.result !== id) return;
  const locked = form.dataset.locked === id;
  // @ts-ignore htmx is a global of its own script
  const htmx = window.htmx;
  // With a source of its own: requests that name none wait for one another, and of three the last is dropped.
  if (locked) {
    const answer = await fetch(`/orders/${id}/?part=result`, { signal: AbortSignal.timeout(8000) }).catch(() => null);
    if (!answer?.ok) return;
    const html = await answer.text();
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const fresh = /** @type {HTMLElement | null} */ (holder.content.querySelector("#ticket-result"));
    if (fresh?.dataset.state === "uncertain" || fresh?.dataset.state === "sending") {
      document.getElementById("ticket-result")?.replaceWith(fresh);
      htmx.process(fresh);
      return;
    }
    if (ticket()?.dataset.locked === id) await htmx.ajax("GET", `/orders/${id}/?of=${document.body.dataset.account}`, { source: "#ticket-result", target: "#ticket", swap: "outerHTML" });
  } else {
    await htmx.ajax("GET", `/orders/${id}/?part=result`, { source: "#ticket-result", target: "#ticket-result", swap: "outerHTML" });
  }
}
