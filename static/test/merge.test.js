import assert from "node:assert/strict";
import { test } from "node:test";
import { merge } from "../src/forms/merge.js";

const base = { name: "prod", description: null, rules: [{ name: "web", ports: ["443"] }, { name: "dns", ports: ["53"] }] };

test("changes of different fields are merged", () => {
  const { merged, taken, conflicts } = merge(base, { ...base, name: "production" }, { ...base, description: "clinics" });
  assert.deepEqual(merged, { ...base, name: "production", description: "clinics" });
  assert.deepEqual([taken, conflicts], [["description"], []]);
});

test("a field that both changed is a conflict, decided by its path", () => {
  const [mine, theirs] = [{ ...base, description: "mine" }, { ...base, description: "theirs" }];
  assert.deepEqual(merge(base, mine, theirs).conflicts, [{ path: "description", mine: "mine", theirs: "theirs" }]);
  assert.equal(merge(base, mine, theirs).merged.description, "mine");
  assert.equal(merge(base, mine, theirs, () => "theirs").merged.description, "theirs");
});

test("two rules of one policy are merged by name", () => {
  const mine = { ...base, rules: [{ name: "web", ports: ["443", "8443"] }, base.rules[1]] };
  const theirs = { ...base, rules: [base.rules[0], { name: "ntp", ports: ["123"] }] };
  const { merged, conflicts } = merge(base, mine, theirs);
  assert.deepEqual(merged.rules, [mine.rules[0], theirs.rules[1]]);
  assert.deepEqual(conflicts, []);
});

test("what one side removed and the other changed is a conflict", () => {
  const mine = { ...base, rules: [base.rules[0]] };
  const theirs = { ...base, rules: [base.rules[0], { name: "dns", ports: ["5353"] }] };
  assert.deepEqual(merge(base, mine, theirs).conflicts.map(({ path }) => path), ["rules[dns]"]);
});
