// Draws each policy of the list as lines between cards and places its chip on the first line.
// The list is the source; the drawing follows it, also when cards move.
import { s } from "../lib/dom.js";
import { zoomScale } from "./zoom.js";
import { arrow, bendThrough, distance, path, route, placeChip, slotOffset } from "./geometry.js";

const CHIP_ROOM = 6;
let curves = []; // [{policy, points}] of the last drawing

export const board = () => document.getElementById("cv-board");

/** Return a rectangle of the window in the board's own pixels. */
export function onBoard({ left, top, right, bottom }) {
  const frame = board().getBoundingClientRect();
  const scale = zoomScale();
  const [x, y] = [(at) => (at - frame.left) / scale, (at) => (at - frame.top) / scale];
  return { left: x(left), right: x(right), top: y(top), bottom: y(bottom) };
}

export function draw() {
  const boardElement = board();
  const box = (node) => onBoard(node.getBoundingClientRect());
  const cards = [...boardElement.querySelectorAll(".cv-card")].map((card) => ({ card, rect: box(card) }));
  const taken = [...cards.map(({ rect }) => rect), ...[...boardElement.querySelectorAll(".cv-lane > header, .cv-hint")].map(box)];
  const used = new Map();
  const strokes = [];
  curves = [];
  for (const item of boardElement.querySelectorAll(".cv-chips > li")) {
    const chip = item.firstElementChild;
    let isPlaced = false;
    for (const [from, to] of linePairs(item)) {
      const key = [from.id, to.id].sort().join();
      const n = used.get(key) ?? 0;
      used.set(key, n + 1);
      const others = cards.filter(({ card }) => !card.contains(from) && !card.contains(to)).map(({ rect }) => rect);
      const start = box(from);
      const way = route(start, from === to ? start : box(to), others, slotOffset(n));
      let { points } = way;
      if (!isPlaced) {
        const chipBox = box(chip);
        const size = { width: chipBox.right - chipBox.left + CHIP_ROOM, height: chipBox.bottom - chipBox.top + CHIP_ROOM };
        const place = placeChip(points, size, taken);
        chip.style.left = `${Math.round(place.x)}px`;
        chip.style.top = `${Math.round(place.y)}px`;
        taken.push(place.box);
        points = bendThrough(points, place.bow);
        isPlaced = true;
      }
      strokes.push(...lineElements(points, way.heading, lineClasses(item)));
      curves.push({ policy: item.dataset.policy, points });
    }
    item.classList.toggle("is-without-line", !isPlaced);
  }
  boardElement.querySelector(".cv-lines").replaceChildren(...strokes);
}

/** Return the policy whose line passes within `reach` pixels of a point of the window, or null. */
export function policyAt(x, y, reach = 22) {
  const { left, top } = onBoard({ left: x, top: y });
  const point = { x: left, y: top };
  const near = curves.map(({ policy, points }) => ({ policy, far: distance(points, point) })).sort((a, b) => a.far - b.far)[0];
  return near && near.far <= reach ? near.policy : null;
}

/** Redraw whenever the board changes its size or its fonts arrive. */
export function redrawOnChange(stage) {
  new ResizeObserver(draw).observe(stage);
  document.fonts.ready.then(draw);
}

function linePairs(item) {
  return item.dataset.joins.split(" ").filter(Boolean)
    .map((pair) => pair.split(">").map((id) => document.getElementById(id)))
    .filter(([from, to]) => from && to);
}

function lineClasses({ dataset }) {
  return `is-${dataset.action}${"draft" in dataset ? " is-draft" : ""}${"on" in dataset ? " is-on" : ""}${"off" in dataset ? " is-off" : ""}`;
}

function lineElements(points, heading, kind) {
  return [
    s("path", { d: path(points), class: `cv-line ${kind}` }),
    s("circle", { cx: points[0].x, cy: points[0].y, r: 3.5, class: `cv-end ${kind}` }),
    s("path", { d: arrow(points[3], heading), class: `cv-line cv-head ${kind}` }),
  ];
}
