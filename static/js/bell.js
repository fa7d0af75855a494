// @ts-check
// The bell in the bar: how much is unread, live; and the browser's own notifications, where they were asked for.

import { watch } from "./live.js";

export function start() {
  const bell = /** @type {HTMLAnchorElement | null} */ (document.querySelector("[data-bell]"));
  const person = document.body.dataset.person;
  if (!bell || !person) return;
  const place = `kfweb-told-${person}`; // kept with the tab: what comes while a page is changed is news on the next one
  const kept = sessionStorage.getItem(place);
  let last = kept === null ? null : Number(kept);
  watch(`person:${person}`, (data) => {
    if (data.unread === undefined) return;
    draw(bell, data.unread);
    if (last !== null && data.last > last) {
      news(bell.dataset.latest ?? "", last);
      document.dispatchEvent(new CustomEvent("notices-changed"));
    }
    last = Math.max(last ?? 0, data.last);
    sessionStorage.setItem(place, String(last));
  });
  askHere();
}

/**
 * @param {HTMLAnchorElement} bell
 * @param {number} unread
 */
function draw(bell, unread) {
  const words = unread > 99 ? "99+" : unread ? String(unread) : "";
  const number = /** @type {HTMLElement} */ (bell.querySelector("[data-unread]"));
  if (number.textContent !== words) number.textContent = words;
  bell.dataset.state = unread ? "some" : "none";
  bell.setAttribute("aria-label", unread ? `Inbox, ${unread} unread` : "Inbox");
}

/**
 * The server says which of the new ones are to be shown by this browser: by level, and not in quiet hours.
 * @param {string} address
 * @param {number} after
 */
async function news(address, after) {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  try {
    const answer = await fetch(`${address}?after=${after}`, { signal: AbortSignal.timeout(8000), redirect: "error" });
    if (!answer.ok) return; // it stands in the inbox, and the bell has its number
    for (const one of (await answer.json()).notices) {
      const shown = new Notification(`kfweb: ${one.title}`, { body: one.text, tag: `notice-${one.id}` }); // one, however many tabs
      shown.addEventListener("click", () => { focus(); location.assign(one.link); });
    }
  } catch {
    return; // the same
  }
}

/** The page of settings: what this browser has been allowed, and the button that asks it. */
function askHere() {
  const line = /** @type {HTMLElement | null} */ (document.querySelector("[data-browser-permission]"));
  const button = /** @type {HTMLButtonElement | null} */ (document.querySelector("[data-ask-browser]"));
  if (!line || !button) return;
  const say = () => {
    const state = "Notification" in window ? Notification.permission : "missing";
    const words = /** @type {Record<string, string>} */ ({
      granted: "This browser may show them.",
      denied: "This browser was told not to show them. Its own settings for this address can change that.",
      default: "This browser has not been asked yet.",
      missing: "This browser cannot show them.",
    });
    line.textContent = words[state];
    button.hidden = state !== "default";
  };
  button.addEventListener("click", async () => { await Notification.requestPermission(); say(); });
  say();
}
