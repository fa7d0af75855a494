import assert from "node:assert/strict";
import { test } from "node:test";
import { atTick, gathered, ownSizes, rungs, running } from "../../static/js/levels.js";

test("bids go down to their multiple and asks up", () => {
  assert.deepEqual(gathered([["100.4", "1"], ["100.0", "2"], ["99.9", "4"]], "bids", "0.1", 10, 0), [["100.0", "3"], ["99.0", "4"]]);
  assert.deepEqual(gathered([["100.5", "1"], ["101", "2"], ["101.1", "4"]], "asks", "0.1", 10, 0), [["101.0", "3"], ["102.0", "4"]]);
});

test("nothing is lost or gained by gathering, to the last digit", () => {
  const levels = Array.from({ length: 300 }, (_, at) => [`${(60000 - at * 0.5).toFixed(1)}`, "0.0001"]);
  for (const group of [1, 2, 5, 10, 50, 1000]) {
    assert.equal(running(gathered(levels, "bids", "0.5", group, 4), 4).at(-1), 300n);
  }
});

test("ticks of every size stay whole numbers", () => {
  assert.deepEqual(gathered([["0.0000000123", "7"]], "bids", "0.0000000001", 50, 0), [["0.0000000100", "7"]]);
  assert.deepEqual(gathered([["0.0000000101", "7"]], "asks", "0.0000000001", 50, 0), [["0.0000000150", "7"]]);
  assert.deepEqual(gathered([["61250", "3"]], "asks", "500", 2, 0), [["62000", "3"]]);
});

test("own sizes stand in the level their order was gathered into", () => {
  const orders = [{ side: "buy", price: "100.4", open: "0.5" }, { side: "buy", price: "100.1", open: "0.25" }, { side: "sell", price: "102.3", open: "1" }, { side: "sell", price: "", open: "9" }];
  assert.deepEqual([...ownSizes(orders, "0.1", 10, 2)], [["100", "0.75"], ["103", "1"]]);
  assert.deepEqual([...ownSizes(orders, "0.1", 1, 2)], [["100.4", "0.5"], ["100.1", "0.25"], ["102.3", "1"]]);
});

test("a ladder is whole around its middle and has no price below one step", () => {
  assert.deepEqual(rungs(1003n, 5n, 5, 1), ["101", "100.5", "100", "99.5", "99"]);
  assert.deepEqual(rungs(2n, 1n, 5, 0), ["4", "3", "2", "1", ""]);
});

test("a price that was dragged lies on a tick", () => {
  assert.equal(atTick(61250.2600001, "0.5"), "61250.5");
  assert.equal(atTick(0.00000001234, "0.0000000001"), "0.0000000123");
  assert.equal(atTick(-3, "0.5"), "0.5");
});
