import assert from "node:assert/strict";
import { test } from "node:test";
import { History, startOf } from "../../static/js/candles.js";

const candle = (time, close = 10, volume = 1) => ({ time, open: 10, high: Math.max(10, close), low: Math.min(10, close), close, volume });
const times = (history) => history.all.map((one) => one.time);

test("pages of history meet without a double", () => {
  const history = new History(60);
  history.renew([candle(300), candle(360)]);
  assert.equal(history.prepend([candle(180), candle(240), candle(300, 99)]), 2);
  assert.deepEqual(times(history), [180, 240, 300, 360]);
  assert.equal(history.all[2].close, 10);
  assert.equal(history.prepend([candle(180)]), 0);
});

test("what the venue says of the newest ones replaces what was guessed from trades", () => {
  const history = new History(60);
  history.renew([candle(300), candle(360)]);
  history.see(12, 421_000, 3);
  assert.ok(history.renew([candle(360, 11, 7), candle(420, 12, 5)]));
  assert.deepEqual(times(history), [300, 360, 420]);
  assert.equal(history.last.volume, 5);
});

test("a hole after a pause is not papered over", () => {
  const history = new History(60);
  history.renew([candle(300)]);
  assert.equal(history.renew([candle(480)]), false);
  assert.deepEqual(times(history), [300]);
  assert.ok(history.renew([candle(360)]), "the very next one is no hole");
});

test("trades move the running candle and begin the next at its close", () => {
  const history = new History(60);
  history.renew([candle(300)]);
  assert.equal(history.see(13, 310_000, 2), false);
  assert.deepEqual(history.last, { time: 300, open: 10, high: 13, low: 10, close: 13, volume: 3 });
  assert.equal(history.see(12, 360_001, 1), true);
  assert.deepEqual(history.last, { time: 360, open: 13, high: 12, low: 12, close: 12, volume: 1 });
  assert.equal(history.see(50, 301_000, 9), false, "a late trade changes nothing that is over");
  assert.equal(history.last.high, 12);
});

test("the first trade of an empty history ends nothing", () => assert.equal(new History(60).see(1, 1000, 1), false));

test("weeks begin on Mondays", () => {
  assert.equal(new Date(startOf(Date.UTC(2026, 10, 22, 20) / 1000, 604800) * 1000).toISOString(), "2026-11-16T00:00:00.000Z");
  assert.equal(startOf(3601, 3600), 3600);
});
