// The cases of tests/trading/test_pages_written.py, in the browser's own arithmetic.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fixed, free, rate, short, typed } from "../../static/js/numbers.js";

const cases = JSON.parse(readFileSync(new URL("../trading/written.json", import.meta.url), "utf8"));
for (const [value, places, sign, text] of cases.fixed) test(`fixed ${value}`, () => assert.equal(fixed(value, places, sign), text));
for (const [value, text] of cases.free) test(`free ${value}`, () => assert.equal(free(value), text));
for (const [value, text] of cases.short) test(`short ${value}`, () => assert.equal(short(value), text));
for (const [value, text] of cases.rate) test(`rate ${value}`, () => assert.equal(rate(value, 5), text));
for (const [value, text] of cases.typed) test(`typed ${value}`, () => assert.equal(typed(value), text));
