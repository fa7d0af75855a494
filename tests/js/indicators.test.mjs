import assert from "node:assert/strict";
import { test } from "node:test";
import { bollinger, ema, lines, rsi, sma, vwap } from "../../static/js/indicators.js";

const near = (found, wanted) => assert.ok(Math.abs(found - wanted) < 1e-9, `${found} is not ${wanted}`);

test("a simple mean begins when there is enough", () => assert.deepEqual(sma([1, 2, 3, 4, 8], 3), [null, null, 2, 3, 5]));

test("an exponential mean begins with the simple one", () => {
  const found = ema([1, 2, 3, 4, 8], 3);
  assert.deepEqual(found.slice(0, 4), [null, null, 2, 3]);
  near(found[4], 5.5);
});

test("bands are as wide as the window moves", () => {
  const { middle, upper, lower } = bollinger([2, 4, 4, 4, 5, 5, 7, 9], 8, 2);
  assert.deepEqual(middle.slice(0, 7), Array(7).fill(null));
  near(middle[7], 5);
  near(upper[7], 9); // the textbook's eight numbers: mean 5, deviation 2
  near(lower[7], 1);
});

test("relative strength by Wilder, on the numbers of his own smoothing", () => {
  const closes = [44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.1, 45.42, 45.84, 46.08, 45.89, 46.03, 45.61, 46.28, 46.28, 46.0];
  const found = rsi(closes, 14);
  assert.equal(found[13], null);
  assert.ok(Math.abs(found[14] - 70.46) < 0.1, String(found[14]));
  assert.ok(Math.abs(found[15] - 66.25) < 0.1, String(found[15]));
});

test("relative strength at its ends", () => {
  assert.equal(rsi([1, 2, 3, 4], 3)[3], 100);
  assert.equal(rsi([4, 3, 2, 1], 3)[3], 0);
  assert.equal(rsi([5, 5, 5, 5], 3)[3], 50);
});

test("a volume-weighted mean begins anew each day", () => {
  const day = 86400;
  const one = (time, price, volume) => ({ time, open: price, high: price, low: price, close: price, volume });
  assert.deepEqual(vwap([one(0, 10, 0), one(60, 10, 1), one(120, 40, 2), one(day, 7, 5)]), [null, 10, 30, 7]);
});

test("every line is as long as the candles", () => {
  const candles = Array.from({ length: 120 }, (_, at) => ({ time: at * 60, open: at, high: at + 2, low: at, close: at + 1, volume: 3 }));
  for (const name of ["sma", "ema", "vwap", "bollinger", "rsi"]) {
    const found = lines(name, candles);
    assert.ok(found.length, name);
    for (const one of found) {
      assert.equal(one.line.length, 120);
      assert.equal(typeof one.line[119], "number");
    }
  }
  assert.deepEqual(lines("moon", candles), []);
});
