// @ts-check
// A fill can be heard, and told by the browser itself while another page is in front. Both only when asked for.

import { watch } from "./live.js";
import { free } from "./numbers.js";
import { remember } from "./workspace.js";

const SPAN = 0.09; // seconds of a tone
const TONES = /** @type {Record<string, number[]>} */ ({ buy: [523, 784], sell: [784, 523] }); // rising, falling

/** @type {AudioContext | null} */
let audio = null;

export function start() {
  const sound = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-sound]"));
  const notices = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-notices]"));
  const account = document.body.dataset.account;
  if (!sound || !notices || !account) return;
  sound.addEventListener("change", () => {
    remember({ sound: sound.checked });
    if (sound.checked) play("buy"); // a press of a person's: from here on the browser lets the page be heard
  });
  notices.addEventListener("change", () => ask(notices));
  if (notices.checked && !permitted()) say("This browser does not allow notices yet: switch them off and on here.");
  watch(`account:${account}`, (data, message) => {
    if (message.k !== "upd" || data.kind !== "fill") return;
    if (sound.checked) play(data.side);
    if (notices.checked && permitted() && document.hidden) tell(data);
  });
}

const permitted = () => "Notification" in window && Notification.permission === "granted";

/** @param {HTMLInputElement} box */
async function ask(box) {
  if (box.checked && "Notification" in window) await Notification.requestPermission();
  if (box.checked && !permitted()) {
    box.checked = false;
    say("This browser does not allow notices. Allow them in its settings for this address, then try again.");
    return;
  }
  say("");
  remember({ notices: box.checked });
}

/** @param {{side: string, size: string, symbol: string, price: string, id?: string}} fill */
function tell(fill) {
  const side = fill.side === "buy" ? "Bought" : "Sold";
  const notice = new Notification(`${side} ${free(fill.size)} ${fill.symbol}`, { body: `at ${free(fill.price)}`, tag: `fill-${fill.id ?? ""}` });
  notice.onclick = () => { window.focus(); notice.close(); };
}

/** @param {string} side */
function play(side) {
  audio ??= new AudioContext();
  audio.resume();
  const volume = new GainNode(audio, { gain: 0.05 });
  volume.connect(audio.destination);
  (TONES[side] ?? TONES.buy).forEach((frequency, at) => {
    const tone = new OscillatorNode(/** @type {AudioContext} */ (audio), { frequency });
    tone.connect(volume);
    const begin = /** @type {AudioContext} */ (audio).currentTime + at * SPAN;
    tone.start(begin);
    tone.stop(begin + SPAN);
  });
}

/** @param {string} words */
function say(words) {
  const note = document.querySelector("[data-workspace-note]");
  if (note) note.textContent = words;
}
