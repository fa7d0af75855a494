// @ts-check
// Candles in memory: pages of history that meet, and the running one moved by trades. Pure: no page, no clock, no wire.

/** @typedef {{time: number, open: number, high: number, low: number, close: number, volume: number}} Candle */

const WEEK = 604800;
const MONDAY = 345600; // weeks begin on Mondays; the epoch did on a Thursday

/**
 * When the candle of a moment begins.
 * @param {number} at epoch seconds
 * @param {number} seconds a candle
 */
export function startOf(at, seconds) {
  const offset = seconds === WEEK ? MONDAY : 0;
  return Math.floor((at - offset) / seconds) * seconds + offset;
}

export class History {
  /** @param {number} seconds a candle */
  constructor(seconds) {
    this.seconds = seconds;
    /** Oldest first; the last one is the running one. @type {Candle[]} */
    this.all = [];
    this.complete = false; // there is nothing before the first
  }

  get first() { return this.all[0] ?? null; }

  get last() { return this.all.at(-1) ?? null; }

  /**
   * Another page of the past. What we have already is not doubled.
   * @param {Candle[]} rows
   * @returns {number} how many are new
   */
  prepend(rows) {
    const older = this.first ? rows.filter((row) => row.time < this.all[0].time) : rows;
    this.all = [...older, ...this.all];
    return older.length;
  }

  /**
   * What the venue now says of the newest ones; they replace ours from their first one on.
   * @param {Candle[]} rows
   * @returns {boolean} false when there is a hole between ours and these: then all must be read anew
   */
  renew(rows) {
    if (!rows.length) return true;
    const { last } = this;
    if (last && rows[0].time > last.time + this.seconds) return false;
    const from = this.all.findIndex((candle) => candle.time >= rows[0].time);
    this.all = [...(from < 0 ? this.all : this.all.slice(0, from)), ...rows];
    return true;
  }

  /**
   * One price into the running candle, or into a new one. One that is older than the running candle changes nothing.
   * @param {number} price
   * @param {number} at epoch milliseconds
   * @param {number} size
   * @returns {boolean} whether a new candle has begun, so that the one before it is over
   */
  see(price, at, size) {
    const time = startOf(at / 1000, this.seconds);
    const { last } = this;
    if (last && time < last.time) return false;
    const begun = !last || time > last.time;
    if (begun) this.all.push({ time, open: last?.close ?? price, high: price, low: price, close: price, volume: 0 });
    const running = /** @type {Candle} */ (this.last);
    running.high = Math.max(running.high, price);
    running.low = Math.min(running.low, price);
    running.close = price;
    running.volume += size;
    return begun && last !== null;
  }
}
