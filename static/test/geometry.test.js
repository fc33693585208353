import assert from "node:assert/strict";
import test from "node:test";

import { along, arrow, bendThrough, distance, facing, neighbour, path, route, placeChip, slotOffset } from "../src/canvas/geometry.js";

const rect = (left, top, width = 176, height = 100) => ({ left, top, right: left + width, bottom: top + height });

test("cards side by side at one height meet in a straight line at facing edges", () => {
  const { points, heading } = route(rect(0, 0), rect(300, 0));
  assert.deepEqual(points[0], { x: 176, y: 50 });
  assert.deepEqual(points[3], { x: 300, y: 50 });
  assert.deepEqual(heading, { x: 1, y: 0 });
});

test("a line to the left leaves the left edge and arrives at the right one", () => {
  const { points, heading } = route(rect(300, 0), rect(0, 0));
  assert.equal(points[0].x, 300);
  assert.equal(points[3].x, 176);
  assert.equal(heading.x, -1);
});

test("cards above each other meet bottom to top", () => {
  const { points, heading } = route(rect(0, 0), rect(0, 160));
  assert.deepEqual([points[0].y, points[3].y], [100, 160]);
  assert.deepEqual(heading, { x: 0, y: 1 });
});

test("a card in between makes the line go round on the right", () => {
  const { points, heading } = route(rect(0, 0), rect(0, 320), [rect(0, 160)]);
  assert.equal(points[0].x, 176);
  assert.ok(points[1].x > 176);
  assert.deepEqual(heading, { x: -1, y: 0 });
});

test("a policy from a card to itself is a loop below it", () => {
  const card = rect(0, 0);
  const { points, heading } = route(card, card);
  assert.ok(points[0].x < points[3].x && points[1].y > card.bottom);
  assert.deepEqual(heading, { x: 0, y: -1 });
});

test("a line goes over or under a card that stands in its way", () => {
  const between = rect(300, 20);
  const { points } = route(rect(0, 0), rect(600, 0), [between]);
  assert.ok(along(points, 0.5).y < between.top);
  const low = route(rect(0, 0), rect(600, 0), [rect(300, -40)]).points;
  assert.ok(along(low, 0.5).y > 60);
});

test("a chip with no free place covers as little as it can", () => {
  const { points } = route(rect(0, 0), rect(240, 0));
  const gap = rect(176, -400, 64, 800);
  const place = placeChip(points, { width: 40, height: 26 }, [rect(-400, -400, 576, 800), rect(240, -400, 576, 800), gap]);
  assert.ok(Math.abs(place.covered - 40 * 26) < 1);
  const beside = placeChip(points, { width: 90, height: 26 }, [rect(0, 0), rect(240, 0)]);
  assert.equal(beside.covered, 0, "above or below the cards, whose gap is too narrow");
});

test("chips of many lines between the same cards cover neither cards nor each other, and sit on their lines", () => {
  const cards = [rect(0, 0, 176, 66), rect(330, 20, 176, 66)];
  const size = { width: 134, height: 32 };
  const taken = [...cards];
  for (let n = 0; n < 7; n += 1) {
    const [from, to] = n % 3 ? cards : [cards[1], cards[0]];
    const { points } = route(from, to, [], slotOffset(n));
    const place = placeChip(points, size, taken);
    assert.equal(place.covered, 0, `chip ${n}`);
    assert.ok(distance(bendThrough(points, place.bow), place) < 6, `line ${n} runs through its chip`);
    taken.push(place.box);
  }
});

test("two lines between the same cards keep their distance", () => {
  const ways = [0, 1].map((n) => route(rect(0, 0), rect(300, 0), [], slotOffset(n)).points[0].y);
  assert.ok(Math.abs(ways[0] - ways[1]) >= 24);
});

test("slots fan out from the middle", () => assert.deepEqual([0, 1, 2, 3, 4].map(slotOffset), [0, 1, -1, 2, -2]));

test("a line never leaves its card", () => {
  const tall = rect(0, 0, 176, 40);
  for (const offset of [-200, 0, 200]) {
    const y = facing(tall, rect(300, 400), offset);
    assert.ok(y >= tall.top && y <= tall.bottom);
  }
});

test("a chip sits in the middle, or beside what is in its way", () => {
  const { points } = route(rect(0, 0), rect(600, 0));
  const size = { width: 80, height: 26 };
  assert.equal(placeChip(points, size).x, 388);
  const moved = placeChip(points, size, [rect(340, 0, 96, 100)]);
  assert.ok(moved.box.right <= 340 || moved.box.left >= 436, "the chip covers nothing");
});

test("a point on the curve is at distance zero, one beside it is not", () => {
  const { points } = route(rect(0, 0), rect(300, 0));
  assert.ok(distance(points, along(points, 0.5)) < 1);
  assert.ok(distance(points, { x: 238, y: 80 }) > 25);
});

test("arrow keys find the next card in that direction", () => {
  const cards = [rect(0, 0), rect(300, 0), rect(300, 200), rect(0, 200)];
  assert.equal(neighbour(cards[0], cards, "ArrowRight"), 1);
  assert.equal(neighbour(cards[0], cards, "ArrowDown"), 3);
  assert.equal(neighbour(cards[0], cards, "ArrowUp"), -1);
  assert.equal(neighbour(cards[0], cards, "a"), -1);
});

test("paths are what SVG reads", () => {
  assert.equal(path([{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 2, y: 0 }, { x: 3.04, y: 0 }]), "M0 0C1 0 2 0 3 0");
  assert.equal(arrow({ x: 10, y: 10 }, { x: 1, y: 0 }), "M3 5.5L10 10L3 14.5");
});
