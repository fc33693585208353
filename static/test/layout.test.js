// The map's layout: what stands where, at which level of detail.
import assert from "node:assert/strict";
import { test } from "node:test";

import { startPosition, mapLayout, worst } from "../src/topology/layout.js";

const exchange = (id, x, y) => ({ id, name: id, state: "up", x0: x, y0: y });
const thing = (number, at, cluster = "AWS", state = "up") => ({ id: `connector/${number}`, name: `vpc-${number}`, state, exchanges: [at], icon: "x", word: "AWS VPC", cluster });
const place = ({ x0, y0 }) => [x0, y0];
const view = { zoom: 1, open: new Set(), width: 1000, height: 700 };

function overlaps(a, b) {
  return Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2;
}

test("many connectors of a kind are one pill with their number and their worst state", () => {
  const things = [thing(1, "eu"), thing(2, "eu", "AWS", "degraded"), thing(3, "eu", "GCP")];
  const { pills } = mapLayout({ exchanges: [exchange("eu", 500, 300)], things, meshes: [] }, place, view);
  assert.deepEqual(pills.map(({ label, count }) => [label, count]), [["AWS", 2], ["vpc-3", undefined]]);
  assert.equal(pills[0].state, "degraded");
});

test("an opened cluster shows each of its connectors", () => {
  const things = [1, 2, 3].map((number) => thing(number, "eu"));
  const { pills } = mapLayout({ exchanges: [exchange("eu", 500, 300)], things, meshes: [] }, place, { ...view, open: new Set(["eu|AWS"]) });
  assert.deepEqual(pills.map(({ label }) => label), ["vpc-1", "vpc-2", "vpc-3"]);
});

test("a narrow map begins with the exchange of what is selected, else with the busiest", () => {
  const picture = { exchanges: [exchange("eu", 0, 0), exchange("us", 9, 9)], things: [thing(1, "us"), thing(2, "us"), thing(3, "eu")] };
  assert.equal(startPosition(picture, "").id, "us");
  assert.equal(startPosition(picture, "connector/3").id, "eu");
  assert.equal(startPosition(picture, "eu").id, "eu");
});

test("a network of thousands stays within about 400 marks however far it is opened", () => {
  const exchanges = Array.from({ length: 6 }, (_, index) => exchange(`x${index}`, 100 + index * 150, 350));
  const things = Array.from({ length: 5000 }, (_, number) => thing(number, `x${number % 6}`));
  const open = new Set(exchanges.map(({ id }) => `${id}|AWS`));
  const closed = mapLayout({ exchanges, things, meshes: [] }, place, view);
  assert.equal(closed.pills.length, 6);
  const { pills } = mapLayout({ exchanges, things, meshes: [] }, place, { ...view, open });
  assert.ok(pills.length <= 400, `${pills.length} pills`);
  assert.match(pills.at(-1).label, /^\d+ more$/);
});

test("exchanges at the same place, their pills and the rates on links do not cover one another", () => {
  const exchanges = [exchange("eu", 500, 300), exchange("eu2", 504, 302), exchange("us", 150, 320)];
  const things = Array.from({ length: 12 }, (_, number) => thing(number, ["eu", "eu2", "us"][number % 3], `K${number % 4}`));
  const meshes = [{ id: "m", from: "us", to: "eu", state: "up" }];
  const { hubs, pills, tags } = mapLayout({ exchanges, things, meshes }, place, view);
  const boxes = [...hubs, ...pills, ...tags];
  for (const [index, one] of boxes.entries()) {
    for (const other of boxes.slice(index + 1)) assert.ok(!overlaps(one, other), `${one.id} covers ${other.id}`);
  }
});

test("an exchange at the edge of the picture covers none of its connectors, and nothing hides under what lies on the map", () => {
  const things = ["hospital-boston", "vpc-prod-us", "gcp-research"].map((name, number) => ({ ...thing(number, "us", name), name }));
  const walls = [{ x: 110, y: 620, width: 220, height: 140 }];
  for (const [x, y] of [[150, 320], [70, 320], [150, 520], [120, 640], [990, 690]]) {
    const { hubs, pills } = mapLayout({ exchanges: [exchange("us", x, y)], things, meshes: [] }, place, { ...view, walls });
    const boxes = [...walls, ...hubs, ...pills];
    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) assert.ok(!overlaps(one, other), `at ${x}, ${y}: ${one.id ?? "a wall"} covers ${other.id}`);
    }
  }
});

test("a service placed at two exchanges stands at both", () => {
  const fw = { ...thing(1, "eu"), id: "service/fw", exchanges: ["eu", "us"] };
  const { pills } = mapLayout({ exchanges: [exchange("eu", 500, 300), exchange("us", 150, 320)], things: [fw], meshes: [] }, place, view);
  assert.deepEqual(pills.map(({ hub }) => hub.id), ["eu", "us"]);
});

test("down is worse than degraded, and degraded worse than not provisioned yet", () => {
  assert.equal(worst(["up", "pending", "degraded"]), "degraded");
  assert.equal(worst(["up", "degraded", "down"]), "down");
  assert.equal(worst(["up", "up"]), "up");
});

test("connectors of neighbouring exchanges are nearest to their own", () => {
  const exchanges = [exchange("london", 480, 300), exchange("frankfurt", 540, 315), exchange("amsterdam", 520, 290)];
  const things = Array.from({ length: 12 }, (_, number) => thing(number, exchanges[number % 3].id, `K${Math.floor(number / 3)}`));
  const meshes = [["london", "frankfurt"], ["london", "amsterdam"], ["frankfurt", "amsterdam"]].map(([from, to]) => ({ id: `${from}/${to}`, from, to, state: "up" }));
  const { hubs, pills } = mapLayout({ exchanges, things, meshes }, place, view);
  const away = (pill, hub) => Math.hypot(pill.x - hub.x, pill.y - hub.y);
  for (const pill of pills) {
    const nearest = hubs.reduce((best, hub) => (away(pill, hub) < away(pill, best) ? hub : best));
    assert.equal(nearest.id, pill.hub.id, `${pill.label} of ${pill.hub.id}`);
  }
});
