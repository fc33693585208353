import assert from "node:assert/strict";
import test from "node:test";

import { nearest, put, renumber, typed, within } from "../src/forms/paths.js";

test("paths build the body they name", () => {
  const body = {};
  put(body, "name", "prod-out");
  put(body, "rules[0].action", "allow");
  put(body, "rules[1].ports[0]", "443");
  put(body, "settings.region", "eu-central-1");
  assert.deepEqual(body, {
    name: "prod-out",
    rules: [{ action: "allow" }, { ports: ["443"] }],
    settings: { region: "eu-central-1" },
  });
});

test("fields give what their kind says", () => {
  assert.deepEqual(typed("list", " 443, 8000-8100\n22 "), ["443", "8000-8100", "22"]);
  assert.equal(typed("number", "70000"), 70000);
  assert.equal(typed("number", " "), null);
  assert.equal(typed("optional", ""), null);
  assert.equal(typed("flag", "on", true), true);
  assert.equal(typed(undefined, " corp "), "corp");
});

test("a problem finds its field, or the field that holds it", () => {
  const names = ["name", "rules[0].ports", "rules[0].action", "rules[1].ports"];
  assert.equal(nearest(names, "rules[1].ports[2]"), "rules[1].ports");
  assert.equal(nearest(names, "rules[0].action"), "rules[0].action");
  assert.equal(nearest(names, "from[0]"), null);
  assert.equal(nearest(["from"], "from[0]"), "from");
});

test("the address of the object is taken off a path", () => {
  assert.equal(within("policies/prod-out/rules[0].ports[0]"), "rules[0].ports[0]");
  assert.equal(within("rules[0].ports"), "rules[0].ports");
});

test("a problem whose prefix is a path with a slash keeps its field", () => assert.equal(within("connectors/a/attachments[0].prefixes[1]"), "attachments[0].prefixes[1]"));

test("rows are numbered again after a move", () => assert.equal(renumber("rules[3].ports", 1), "rules[1].ports"));
