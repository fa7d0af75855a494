// @ts-check
// One socket a page. Streams are watched by name; a gap asks for a snapshot; a broken link heals by itself.

/**
 * @typedef {{s: string, n: number, k: "snap" | "upd" | "no", t?: number, r?: number, d: any}} Message
 * @typedef {(data: any, message: Message) => void} Listener
 * @typedef {{n: number | null, listeners: Set<Listener>, last: Message | null}} Stream
 */

const SILENCE = 3000; // the hub says something every second
const GIVE_UP = 8000; // this long without a word, and the socket is opened anew
const LONGEST_WAIT = 8000;
const ACK_EVERY = 1000;

/** @type {Map<string, Stream>} */
const streams = new Map();
/** @type {WebSocket | null} */
let socket = null;
let attempt = 0;
let frame = 0;
let acknowledgedAt = 0;
let clock = 0; // the hub's clock minus ours
let heardAt = 0;
let openedAt = performance.now();
let retry = 0;
let refused = "";
/** @type {object | null} */
let introduction = null;

/** The hub's time now, in epoch milliseconds. */
export const now = () => Date.now() + clock;

/**
 * Calls `listener` with every snapshot and update of a stream; the returned function stops that.
 * @param {string} name
 * @param {Listener} listener
 */
export function watch(name, listener) {
  let stream = streams.get(name);
  if (!stream) {
    stream = { n: null, listeners: new Set(), last: null };
    streams.set(name, stream);
    say({ do: "watch", streams: [name] });
  } else if (stream.last) {
    listener(stream.last.d, stream.last);
  }
  stream.listeners.add(listener);
  return () => {
    stream.listeners.delete(listener);
    if (stream.listeners.size) return;
    streams.delete(name);
    say({ do: "unwatch", streams: [name] });
  };
}

/**
 * How the way from the web process to this browser is.
 * @returns {{state: "live" | "stale" | "down" | "wait", age: number, why: string}}
 */
export function browserLink() {
  const age = heardAt ? performance.now() - heardAt : performance.now() - openedAt;
  if (!navigator.onLine) return { state: "down", age, why: "This browser is offline." };
  if (refused) return { state: "down", age, why: refused };
  if (!heardAt) return { state: age > SILENCE ? "down" : "wait", age, why: "The desk has not answered yet." };
  if (age > GIVE_UP) return { state: "down", age, why: "The desk does not answer. Trying again." };
  if (age > SILENCE) return { state: "stale", age, why: "The desk has gone silent." };
  return { state: "live", age, why: "" };
}

/**
 * What the hub is told of this page whenever the link is made.
 * @param {object} words
 */
export function introduce(words) {
  introduction = words;
  say(words);
}

export function start() {
  connect();
  setInterval(watchdog, 500);
  addEventListener("online", () => reconnect(0));
  addEventListener("pageshow", (event) => event.persisted && reconnect(0));
  document.addEventListener("visibilitychange", () => {
    say({ do: "pace", hidden: document.hidden });
    if (!document.hidden && performance.now() - heardAt > SILENCE) reconnect(0);
  });
}

function connect() {
  clearTimeout(retry);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const opened = new WebSocket(`${scheme}://${location.host}/ws/live`);
  socket = opened;
  frame = acknowledgedAt = 0;
  openedAt = performance.now();
  opened.onopen = hello;
  opened.onmessage = (event) => receive(event.data);
  opened.onclose = (event) => opened === socket && closed(event);
}

function hello() {
  for (const stream of streams.values()) stream.n = null;
  say({ do: "pace", hidden: document.hidden });
  if (introduction) say(introduction);
  if (streams.size) say({ do: "watch", streams: [...streams.keys()] });
}

/** @param {string} text */
function receive(text) {
  const [head, ...messages] = JSON.parse(text);
  heardAt = performance.now();
  attempt = 0;
  refused = "";
  frame = head.f;
  clock = head.now - Date.now();
  for (const message of messages) take(message);
  if (heardAt - acknowledgedAt >= ACK_EVERY) acknowledge(); // by the frames: timers of hidden pages are held back
}

/** @param {Message} message */
function take(message) {
  const stream = streams.get(message.s);
  if (!stream) return;
  if (message.k === "upd") {
    if (stream.n === null) return; // what we hold is void until the snapshot
    if (message.n !== stream.n + 1) {
      stream.n = null;
      say({ do: "resync", stream: message.s });
      return;
    }
  }
  stream.n = message.n;
  stream.last = message;
  for (const listener of stream.listeners) listener(message.d, message);
}

function acknowledge() {
  acknowledgedAt = heardAt;
  say({ do: "ack", f: frame });
}

/** @param {object} words */
function say(words) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(words));
}

/** @param {CloseEvent} event */
function closed(event) {
  socket = null;
  if (event.code === 4401) {
    refused = "You are signed out. Reload the page to sign in.";
    return;
  }
  attempt += 1;
  reconnect(Math.random() * Math.min(LONGEST_WAIT, 500 * 2 ** attempt)); // so that a thousand browsers do not come at once
}

/** @param {number} wait milliseconds */
function reconnect(wait) {
  if (refused) return;
  clearTimeout(retry);
  retry = setTimeout(() => {
    const old = socket;
    socket = null;
    old?.close();
    connect();
  }, wait);
}

function watchdog() {
  const since = performance.now() - Math.max(heardAt, openedAt);
  if (socket && navigator.onLine && since > GIVE_UP) reconnect(0);
}
