import assert from "node:assert/strict";
import test from "node:test";

import { nearest, put, renumber, parseValue, pathInObject } from "../src/forms/paths.js";

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
  assert.deepEqual(parseValue("list", " 443, 8000-8100\n22 "), ["443", "8000-8100", "22"]);
  assert.equal(parseValue("number", "70000"), 70000);
  assert.equal(parseValue("number", " "), null);
  assert.equal(parseValue("optional", ""), null);
  assert.equal(parseValue("optional-list", " "), null);
  assert.deepEqual(parseValue("optional-list", "any"), ["any"]);
  assert.equal(parseValue("flag", "on", true), true);
  assert.equal(parseValue(undefined, " corp "), "corp");
});

test("a problem finds its field, or the field that holds it", () => {
  const names = ["name", "rules[0].ports", "rules[0].action", "rules[1].ports"];
  assert.equal(nearest(names, "rules[1].ports[2]"), "rules[1].ports");
  assert.equal(nearest(names, "rules[0].action"), "rules[0].action");
  assert.equal(nearest(names, "from[0]"), null);
  assert.equal(nearest(["from"], "from[0]"), "from");
});

test("the address of the object is taken off a path", () => {
  assert.equal(pathInObject("policies/prod-out/rules[0].ports[0]"), "rules[0].ports[0]");
  assert.equal(pathInObject("rules[0].ports"), "rules[0].ports");
});

test("a problem whose prefix is a path with a slash keeps its field", () => assert.equal(pathInObject("connectors/a/attachments[0].prefixes[1]"), "attachments[0].prefixes[1]"));

test("rows are numbered again after a move", () => assert.equal(renumber("rules[3].ports", 1), "rules[1].ports"));
