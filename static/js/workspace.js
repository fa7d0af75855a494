// @ts-check
// How the trade page is kept: sizes that are dragged, switches, what is remembered of an instrument. The desk keeps it
// with the person; the page was drawn with it, so nothing moves when this begins.

const PAUSE = 400; // milliseconds after the last change
const STEP = 10; // pixels a key moves a grip

/** @type {Map<string, {wish: Record<string, unknown>, timer: number}>} */
const waiting = new Map();

/**
 * Tells the desk, once for many changes in a row.
 * @param {Record<string, unknown>} wish
 * @param {string} [symbol] of one instrument
 */
export function remember(wish, symbol = "") {
  const address = symbol ? `/workspace/${symbol}/` : "/workspace/";
  const before = waiting.get(address);
  clearTimeout(before?.timer);
  waiting.set(address, { wish: { ...before?.wish, ...wish }, timer: setTimeout(() => tell(address), PAUSE) });
}

/** @param {string} address */
async function tell(address) {
  const { wish } = waiting.get(address) ?? { wish: {} };
  waiting.delete(address);
  const token = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"))?.value ?? "";
  const note = document.querySelector("[data-workspace-note]");
  const told = await fetch(address, {
    method: "POST", body: JSON.stringify(wish), keepalive: true, redirect: "error", signal: AbortSignal.timeout(8000),
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
  }).then((answer) => answer.ok, () => false);
  if (note) note.textContent = told ? "" : "Not kept: the desk did not take it. It holds until the page is loaded again.";
}

export function start() {
  const grid = /** @type {HTMLElement} */ (document.querySelector(".trade-grid"));
  for (const grip of document.querySelectorAll("[data-grip]")) resizes(grid, /** @type {HTMLElement} */ (grip));
  addEventListener("pagehide", () => { for (const address of waiting.keys()) tell(address); });
  const locked = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-locked]"));
  locked?.addEventListener("change", () => {
    grid.classList.toggle("unlocked", !locked.checked);
    remember({ locked: locked.checked });
  });
  for (const box of document.querySelectorAll("[data-indicator]")) {
    box.addEventListener("change", () => {
      const ticked = [...document.querySelectorAll("[data-indicator]:checked")];
      remember({ indicators: ticked.map((one) => /** @type {HTMLInputElement} */ (one).value) });
    });
  }
}

/**
 * A grip between two parts: dragged, or moved by the arrow keys.
 * @param {HTMLElement} grid
 * @param {HTMLElement} grip
 */
function resizes(grid, grip) {
  const { grip: part = "", way = "1" } = grip.dataset;
  const upright = grip.getAttribute("aria-orientation") === "vertical";
  const [least, most] = [Number(grip.getAttribute("aria-valuemin")), Number(grip.getAttribute("aria-valuemax"))];
  const size = () => Number(grip.getAttribute("aria-valuenow"));
  const take = (/** @type {number} */ wanted) => {
    const held = Math.max(least, Math.min(most, Math.round(wanted)));
    grip.setAttribute("aria-valuenow", String(held));
    grid.style.setProperty(`--${part}-size`, `${held}px`);
    document.dispatchEvent(new CustomEvent("resized"));
    remember({ sizes: { ...sizes(), [part]: held } });
  };
  grip.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    const from = { at: upright ? event.clientX : event.clientY, size: size() };
    const move = (/** @type {PointerEvent} */ moved) => take(from.size + ((upright ? moved.clientX : moved.clientY) - from.at) * Number(way));
    const end = () => { grip.removeEventListener("pointermove", move); grip.removeEventListener("lostpointercapture", end); };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("lostpointercapture", end);
  });
  grip.addEventListener("keydown", (event) => {
    const keys = /** @type {Record<string, number>} */ (upright ? { ArrowLeft: -1, ArrowRight: 1 } : { ArrowUp: -1, ArrowDown: 1 });
    if (!keys[event.key]) return;
    event.preventDefault();
    take(size() + keys[event.key] * Number(way) * STEP);
  });
}

/** Every size as it is now, so that many changes in a row are told as one. */
function sizes() {
  return Object.fromEntries([...document.querySelectorAll("[data-grip]")].map((grip) => [/** @type {HTMLElement} */ (grip).dataset.grip, Number(grip.getAttribute("aria-valuenow"))]));
}
