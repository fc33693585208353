// Rates read the same in the script and in the template filter (tests/portal/test_template_filters.py has the same pairs).
import assert from "node:assert/strict";
import { test } from "node:test";

import { rate, total } from "../src/lib/rates.js";

test("bits per second are said in the largest unit that fits", () => {
  const pairs = [[0, "0 b/s"], [999, "999 b/s"], [1500, "1.50 kb/s"], [212e6, "212 Mb/s"], [1.24e9, "1.24 Gb/s"], [null, "–"]];
  for (const [bits, said] of pairs) assert.equal(rate(bits), said);
});

test("a sum over edges knows the direction and ignores edges nobody told of", () => {
  const edges = { a: [10, 1], b: [20, 2] };
  assert.equal(total(edges, ["a", "b", "c"]), 33);
  assert.equal(total(edges, ["a", "b"], "forth"), 30);
  assert.equal(total(edges, ["a", "b"], "back"), 3);
  assert.equal(total(edges, ["c"]), null);
});
