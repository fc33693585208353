import assert from "node:assert/strict";
import test from "node:test";

import { parseAddress, prefixMatch } from "../src/lib/addresses.js";

test("a prefix holds its addresses, of its own family only", () => {
  assert.equal(prefixMatch("10.1.0.0/16", parseAddress("10.1.2.3")), 16);
  assert.equal(prefixMatch("10.1.0.0/16", parseAddress("10.2.2.3")), -1);
  assert.equal(prefixMatch("0.0.0.0/0", parseAddress("255.255.255.255")), 0);
  assert.equal(prefixMatch("2001:db8::/32", parseAddress("2001:db8:0:1::7")), 32);
  assert.equal(prefixMatch("::/0", parseAddress("10.0.0.1")), -1);
});

test("what is no address is none", () => {
  for (const text of ["", "10.1.2", "10.1.2.300", "ehr", "1::2::3", "2001:db8", "::g"]) assert.equal(parseAddress(text), null, text);
  assert.equal(parseAddress("::").value, 0n);
});
