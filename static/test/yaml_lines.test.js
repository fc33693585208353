import assert from "node:assert/strict";
import test from "node:test";

import { lineOf } from "../src/forms/yaml_lines.js";

const TEXT = `segments:
- name: corp
  prefixes:
  - 10.0.0.0/8
policies:
- name: first
  rules: []
- name: second
  rules:
  - name: web
    ports:
    - '443'
  - {name: rest, ports: ['70000']}
services: []`;

const at = (path) => TEXT.split("\n")[lineOf(TEXT, path)].trim();

test("a path finds the line of the object and of its field", () => {
  assert.equal(at("policies[1].name"), "- name: second");
  assert.equal(at("policies[1].rules[0].ports[0]"), "- '443'");
  assert.equal(at("segments[0].prefixes[0]"), "- 10.0.0.0/8");
});

test("a path that names the object finds it by its name", () => {
  assert.equal(at("policies/second/rules[0].ports[0]"), "- '443'");
  assert.equal(at("segments/corp/prefixes"), "prefixes:");
  assert.equal(at("policies/gone/rules"), "policies:");
});

test("what is written on one line, or not there, finds what is around it", () => {
  assert.equal(at("policies[1].rules[1].ports[0]"), "- {name: rest, ports: ['70000']}");
  assert.equal(at("policies[0].position"), "- name: first");
  assert.equal(at("services"), "services: []");
});
