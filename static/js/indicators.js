// @ts-check
// What is drawn over candles. Plain functions on plain numbers: a list as long as the candles, null where there are
// not enough of them yet.

/** @typedef {import("./candles.js").Candle} Candle */
/** @typedef {(number | null)[]} Line */

/**
 * The mean of the last `length` values.
 * @param {number[]} values
 * @param {number} length
 * @returns {Line}
 */
export function sma(values, length) {
  let sum = 0;
  return values.map((value, at) => {
    sum += value - (at >= length ? values[at - length] : 0);
    return at >= length - 1 ? sum / length : null;
  });
}

/**
 * Exponential, weight 2 ÷ (length + 1), begun with the mean of the first `length`.
 * @param {number[]} values
 * @param {number} length
 * @returns {Line}
 */
export function ema(values, length) {
  const weight = 2 / (length + 1);
  let level = 0;
  return values.map((value, at) => {
    if (at < length) {
      level += value / length;
      return at === length - 1 ? level : null;
    }
    level += (value - level) * weight;
    return level;
  });
}

/**
 * Mean and the mean ± `width` standard deviations (of the whole window) of the last `length` values.
 * @param {number[]} values
 * @param {number} length
 * @param {number} width
 * @returns {{middle: Line, upper: Line, lower: Line}}
 */
export function bollinger(values, length, width) {
  const middle = sma(values, length);
  const spread = middle.map((mean, at) => {
    if (mean === null) return null;
    let squares = 0;
    for (let one = at - length + 1; one <= at; one++) squares += (values[one] - mean) ** 2;
    return width * Math.sqrt(squares / length);
  });
  const moved = (/** @type {number} */ way) => middle.map((mean, at) => (mean === null ? null : mean + way * /** @type {number} */ (spread[at])));
  return { middle, upper: moved(1), lower: moved(-1) };
}

/**
 * Wilder's: the share of the rises in all moves, 0 to 100, smoothed by 1 ÷ length. Without any move it is 50.
 * @param {number[]} values
 * @param {number} length
 * @returns {Line}
 */
export function rsi(values, length) {
  let rise = 0;
  let fall = 0;
  return values.map((value, at) => {
    if (!at) return null;
    const move = value - values[at - 1];
    const [up, down] = [Math.max(move, 0), Math.max(-move, 0)];
    if (at <= length) {
      rise += up / length;
      fall += down / length;
      if (at < length) return null;
    } else {
      rise += (up - rise) / length;
      fall += (down - fall) / length;
    }
    return rise + fall ? (100 * rise) / (rise + fall) : 50;
  });
}

/**
 * Volume-weighted mean of the typical price since midnight UTC; of what we hold of a day when its beginning is missing.
 * @param {Candle[]} candles
 * @returns {Line}
 */
export function vwap(candles) {
  let day = -1;
  let worth = 0;
  let volume = 0;
  return candles.map((candle) => {
    const today = Math.floor(candle.time / 86400);
    if (today !== day) { day = today; worth = 0; volume = 0; }
    worth += ((candle.high + candle.low + candle.close) / 3) * candle.volume;
    volume += candle.volume;
    return volume ? worth / volume : null;
  });
}

/**
 * The lines of an indicator as the page names it. `pane` 1 stands below the prices.
 * @param {string} name
 * @param {Candle[]} candles
 * @returns {{title: string, line: Line, pane: number}[]}
 */
export function lines(name, candles) {
  const closes = candles.map((candle) => candle.close);
  switch (name) {
    case "sma": return [{ title: "SMA 20", line: sma(closes, 20), pane: 0 }];
    case "ema": return [{ title: "EMA 50", line: ema(closes, 50), pane: 0 }];
    case "vwap": return [{ title: "VWAP", line: vwap(candles), pane: 0 }];
    case "rsi": return [{ title: "RSI 14", line: rsi(closes, 14), pane: 1 }];
    case "bollinger": {
      const { middle, upper, lower } = bollinger(closes, 20, 2);
      return [{ title: "BB 20", line: middle, pane: 0 }, { title: "", line: upper, pane: 0 }, { title: "", line: lower, pane: 0 }];
    }
    default: return [];
  }
}
