// @ts-check
// The page's colours as a canvas understands them.

/** @type {((look: Palette) => void)[]} */
const listeners = [];

/** @typedef {ReturnType<typeof palette>} Palette */

export function palette() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const brush = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d", { willReadFrequently: true }));
  const read = (/** @type {string} */ name, alpha = 1) => {
    probe.style.color = `var(${name})`;
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = getComputedStyle(probe).color;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
    return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
  };
  const look = {
    panel: read("--panel"), text: read("--text"), muted: read("--muted"), line: read("--line"), faint: read("--line", 0.35),
    gain: read("--gain"), loss: read("--loss"), gainWash: read("--gain", 0.3), lossWash: read("--loss", 0.3),
    buy: read("--buy"), sell: read("--sell"), buyWash: read("--buy", 0.18), sellWash: read("--sell", 0.18),
    critical: read("--critical"), accent: read("--accent"), accentWash: read("--accent", 0.15),
    caution: read("--caution"), uncertain: read("--uncertain"), healthy: read("--healthy"),
    font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return look;
}

/**
 * Calls `draw` now, and again whenever the system turns dark or light.
 * @param {(look: Palette) => void} draw
 */
export function dress(draw) {
  listeners.push(draw);
  draw(palette());
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  const look = palette();
  for (const draw of listeners) draw(look);
});
