// @ts-check
// Which link between the exchange and this browser is how old, said once: in the badge, and in a banner when one breaks.

import { browserLink, now, watch } from "./live.js";

const RELAY_LATE = 3500; // the relay speaks every second
const RELAY_GONE = 12000;
const EXCHANGE_LATE = 5000;

/** @type {{state: string, heard_at: number | null, relay_at: number | null, why: string, healed?: number} | null} */
let told = null;
/** @type {{state?: string, why?: string} | null} */
let account = null;
let worst = { state: "wait", why: "" };
/** @type {Set<(state: string, why: string) => void>} */
const listeners = new Set();

/**
 * Called with the state (live, stale, down, wait) whenever it changes.
 * @param {(state: string, why: string) => void} listener
 */
export function onLink(listener) {
  listeners.add(listener);
  listener(worst.state, worst.why);
}

export function start() {
  const environment = document.body.dataset.environment || "demo";
  watch(`link:${environment}`, (data) => { told = data; });
  if (document.body.dataset.account) {
    watch(`account:${document.body.dataset.account}`, (data) => {
      if (data.link) account = data.link;
      if (data.kind === "link") account = data;
    });
  }
  draw();
  setInterval(draw, 500);
}

function hops() {
  const browser = browserLink();
  const heard = told?.heard_at ? now() - told.heard_at : null;
  const relayAge = told?.relay_at ? now() - told.relay_at : null;
  return { browser, relay: relayHop(relayAge, browser.state), exchange: exchangeHop(heard) };
}

/**
 * @param {number | null} age
 * @param {string} browser
 */
function relayHop(age, browser) {
  if (age === null) {
    const waiting = browser !== "live" || !told;
    return { state: waiting ? "wait" : "down", age: 0, why: "No relay has told anything yet." };
  }
  if (age > RELAY_GONE) return { state: "down", age, why: "The relay on the desk's own machine is silent." };
  if (age > RELAY_LATE) return { state: "stale", age, why: "The relay on the desk's own machine is late." };
  return { state: "live", age, why: "" };
}

/** @param {number | null} age */
function exchangeHop(age) {
  if (!told) return { state: "wait", age: 0, why: "" };
  const silent = age === null || age > EXCHANGE_LATE;
  if (told.state === "live" && !silent) return { state: "live", age: age ?? 0, why: "" };
  const state = told.state === "down" ? "down" : "stale";
  return { state, age: age ?? 0, why: told.why || "The exchange has gone silent." };
}

const RANK = ["live", "wait", "stale", "down"];
const WORDS = /** @type {Record<string, string>} */ ({ live: "Live", wait: "Wait", stale: "Stale", down: "Down" });

function draw() {
  const all = hops();
  const order = [all.browser, all.relay, all.exchange]; // the nearest broken link explains those beyond it
  const bad = order.filter((hop) => RANK.indexOf(hop.state) >= 2)[0];
  const state = bad ? bad.state : order.some((hop) => hop.state === "wait") ? "wait" : "live";
  badge(state, all);
  banner(state, bad?.why ?? "");
  if (state === worst.state && (bad?.why ?? "") === worst.why) return;
  worst = { state, why: bad?.why ?? "" };
  document.body.classList.toggle("is-stale", state === "stale" || state === "down");
  for (const listener of listeners) listener(worst.state, worst.why);
}

/**
 * @param {string} state
 * @param {ReturnType<typeof hops>} all
 */
function badge(state, all) {
  const element = /** @type {HTMLElement | null} */ (document.querySelector("[data-link-badge]"));
  if (!element) return;
  element.dataset.state = state;
  text(element, "[data-link-word]", WORDS[state]);
  text(element, "[data-link-age]", told?.heard_at ? ageText(now() - told.heard_at) : "");
  for (const [name, hop] of Object.entries(all)) {
    text(element, `[data-hop="${name}"]`, WORDS[hop.state]);
    element.querySelector(`[data-hop="${name}"]`)?.classList.toggle("bad", RANK.indexOf(hop.state) >= 2);
    text(element, `[data-hop-age="${name}"]`, hop.age ? ageText(hop.age) : "");
  }
  const healed = told?.healed ? `${told.healed} events were missed and made good since the relay started. ` : "";
  const own = account?.state && account.state !== "live" ? `The account's own feed: ${account.why || account.state}. ` : "";
  text(element, "[data-link-why]", own + healed);
}

/**
 * @param {string} state
 * @param {string} why
 */
function banner(state, why) {
  const element = /** @type {HTMLElement} */ (document.getElementById("banner"));
  const broken = state === "stale" || state === "down";
  if (element.hidden !== broken && element.dataset.why === why) return;
  element.dataset.why = why;
  element.dataset.state = state;
  text(element, "[data-banner]", broken ? why : "");
  text(element, "[data-banner-more]", broken ? "The figures stay as they were last heard; this heals without a reload." : "");
  element.hidden = !broken;
}

/** @param {number} milliseconds */
export function ageText(milliseconds) {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

/**
 * @param {ParentNode} root
 * @param {string} selector
 * @param {string} words
 */
function text(root, selector, words) {
  const element = root.querySelector(selector);
  if (element && element.textContent !== words) element.textContent = words;
}
