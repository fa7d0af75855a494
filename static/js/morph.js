// @ts-check
// Makes what is on the page equal to what the server drew, touching only what differs, so that focus, scrolling and
// selection stay, and only what moved is tinted. Rows are matched by what they stand for, the rest by place.

import { tint } from "./rows.js";

/**
 * @param {Element} target
 * @param {Element | DocumentFragment} fresh
 */
export function morph(target, fresh) {
  children(target, fresh);
}

/**
 * @param {Element} from
 * @param {Element | DocumentFragment} to
 */
function children(from, to) {
  const keyed = new Map();
  for (const child of from.children) {
    const key = keyOf(child);
    if (key) keyed.set(key, child);
  }
  let here = from.firstChild;
  for (const next of [...to.childNodes]) {
    const key = next instanceof Element ? keyOf(next) : null;
    const match = key ? keyed.get(key) : alike(here, next) ? here : null;
    if (!match) {
      from.insertBefore(next, here);
      continue;
    }
    if (match !== here) from.insertBefore(match, here);
    else here = here?.nextSibling ?? null;
    node(match, next);
  }
  while (here) {
    const gone = here;
    here = here.nextSibling;
    gone.remove();
  }
}

/**
 * @param {Node | null} a
 * @param {Node} b
 */
function alike(a, b) {
  if (!a || a.nodeName !== b.nodeName) return false;
  return !(a instanceof Element) || !keyOf(a);
}

/** @param {Element} element */
function keyOf(element) {
  return element.getAttribute("data-order") ?? element.getAttribute("data-position") ?? element.getAttribute("data-key");
}

/**
 * @param {Node} from
 * @param {Node} to
 */
function node(from, to) {
  if (!(from instanceof Element) || !(to instanceof Element)) {
    if (from.nodeValue !== to.nodeValue) {
      from.nodeValue = to.nodeValue;
      if (from.parentElement?.matches("td, dd, [data-figure]")) tint(from.parentElement);
    }
    return;
  }
  attributes(from, to);
  children(from, to);
}

/**
 * @param {Element} from
 * @param {Element} to
 */
function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !name.startsWith("data-hx")) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}
