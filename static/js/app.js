// @ts-check
// What every page runs.

import * as bell from "./bell.js";
import * as keyboard from "./keyboard.js";
import * as link from "./link.js";
import * as live from "./live.js";
import * as parts from "./parts.js";
import * as people from "./people.js";
import * as switches from "./switches.js";
import { bind } from "./rows.js";

live.start();
link.start();
parts.start();
keyboard.start();
switches.start();
bell.start();
people.start();
bind();

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
  }
});

// The sheet opens when the server has drawn something into it, and closes when an order has changed.
document.addEventListener("htmx:after:swap", () => {
  const sheet = /** @type {HTMLDialogElement | null} */ (document.getElementById("sheet"));
  if (sheet && sheet.childElementCount && !sheet.open) sheet.showModal();
});
document.body.addEventListener("orders-changed", () => closeSheet());
document.getElementById("sheet")?.addEventListener("close", (event) => /** @type {HTMLElement} */ (event.target).replaceChildren());

function closeSheet() {
  const sheet = /** @type {HTMLDialogElement | null} */ (document.getElementById("sheet"));
  if (sheet?.open) sheet.close();
}

// A request of a person's that failed says so where the messages are; nothing of it is retried by itself.
document.addEventListener("htmx:error", () => complain("The desk did not answer, so it is not known whether it heard you. Look at the orders before you try again."));
document.addEventListener("htmx:before:response", (event) => {
  if (!(/** @type {CustomEvent} */ (event).detail.ctx.response.raw.redirected)) return;
  event.preventDefault(); // to the page of signing in, or of proving a factor: no fragment of this one
  complain("You are signed out, so nothing was sent. Reload the page to sign in.");
});
document.addEventListener("htmx:response:error", (event) => {
  const status = /** @type {CustomEvent} */ (event).detail?.ctx?.response?.status ?? 0;
  if (status === 403) complain("Not allowed, or this page was open too long. Nothing was sent. Reload the page.");
  if (status === 400 || status === 404) complain("That is not there any more. Nothing was sent. Reload the page.");
  if (status >= 500) complain("The desk failed while doing this. Look at the orders before you try again.");
});

/** @param {string} words */
function complain(words) {
  const line = document.createElement("p");
  line.className = "message error";
  const dismiss = document.createElement("button");
  Object.assign(dismiss, { type: "button", className: "close dismiss", textContent: "✕", ariaLabel: "Dismiss" });
  dismiss.dataset.dismiss = "";
  line.append(dismiss, words);
  document.getElementById("messages")?.replaceChildren(line);
}

document.getElementById("messages")?.addEventListener("click", (event) => {
  const dismiss = /** @type {HTMLElement} */ (event.target).closest("[data-dismiss]");
  dismiss?.closest(".message")?.remove();
});

// What a form held when its sender was sent off to prove who they are: it stands there again when they come back.
const typed = document.getElementById("typed-before");
if (typed) {
  /** @type {Record<string, string[]>} */
  const fields = JSON.parse(typed.textContent ?? "{}");
  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("main form[method=post]"))) {
    const controls = /** @type {HTMLInputElement[]} */ ([...form.elements].filter((one) => /** @type {HTMLInputElement} */ (one).type !== "hidden"));
    if (!controls.some((one) => one.name in fields)) continue;
    for (const one of controls) {
      if (one.type === "checkbox" || one.type === "radio") one.checked = (fields[one.name] ?? []).includes(one.value);
      else if (one.name in fields && one.type !== "submit") one.value = fields[one.name][0];
    }
  }
}
