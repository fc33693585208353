// Draws each policy of the list as lines between cards and seats its chip on the first of them.
// The list is the truth; the drawing follows it, also when cards move.
import { s } from "../lib/dom.js";
import { arrow, bendThrough, distance, path, route, placeChip, slot } from "./geometry.js";

const CHIP_ROOM = 6;
let curves = []; // [{policy, points}] as drawn last

export const board = () => document.getElementById("cv-board");

export function draw() {
  const plane = board();
  const frame = plane.getBoundingClientRect();
  const box = (node) => {
    const at = node.getBoundingClientRect();
    return { left: at.left - frame.left, right: at.right - frame.left, top: at.top - frame.top, bottom: at.bottom - frame.top };
  };
  const cards = [...plane.querySelectorAll(".cv-card")].map((card) => ({ card, rect: box(card) }));
  const taken = [...cards.map(({ rect }) => rect), ...[...plane.querySelectorAll(".cv-lane > header, .cv-hint")].map(box)];
  const used = new Map();
  const strokes = [];
  curves = [];
  for (const item of plane.querySelectorAll(".cv-chips > li")) {
    const chip = item.firstElementChild;
    let seated = false;
    for (const [from, to] of joins(item)) {
      const key = [from.id, to.id].sort().join();
      const n = used.get(key) ?? 0;
      used.set(key, n + 1);
      const others = cards.filter(({ card }) => !card.contains(from) && !card.contains(to)).map(({ rect }) => rect);
      const start = box(from);
      const way = route(start, from === to ? start : box(to), others, slot(n));
      let { points } = way;
      if (!seated) {
        const size = { width: chip.offsetWidth + CHIP_ROOM, height: chip.offsetHeight + CHIP_ROOM };
        const place = placeChip(points, size, taken);
        chip.style.left = `${Math.round(place.x)}px`;
        chip.style.top = `${Math.round(place.y)}px`;
        taken.push(place.box);
        points = bendThrough(points, place.bow);
        seated = true;
      }
      strokes.push(...strokesOf(points, way.heading, look(item)));
      curves.push({ policy: item.dataset.policy, points });
    }
    item.classList.toggle("is-unseated", !seated);
  }
  plane.querySelector(".cv-lines").replaceChildren(...strokes);
}

/** The policy whose line passes within `reach` pixels of a point of the window, or null. */
export function policyAt(x, y, reach = 22) {
  const frame = board().getBoundingClientRect();
  const point = { x: x - frame.left, y: y - frame.top };
  const near = curves.map(({ policy, points }) => ({ policy, far: distance(points, point) })).sort((a, b) => a.far - b.far)[0];
  return near && near.far <= reach ? near.policy : null;
}

/** Redraws whenever the board changes its size or its fonts arrive. */
export function redrawOnChange(stage) {
  new ResizeObserver(draw).observe(stage);
  document.fonts.ready.then(draw);
}

function joins(item) {
  return item.dataset.joins.split(" ").filter(Boolean)
    .map((pair) => pair.split(">").map((id) => document.getElementById(id)))
    .filter(([from, to]) => from && to);
}

function look({ dataset }) {
  return `is-${dataset.action}${"draft" in dataset ? " is-draft" : ""}${"on" in dataset ? " is-on" : ""}${"off" in dataset ? " is-off" : ""}`;
}

function strokesOf(points, heading, kind) {
  return [
    s("path", { d: path(points), class: `cv-line ${kind}` }),
    s("circle", { cx: points[0].x, cy: points[0].y, r: 3.5, class: `cv-end ${kind}` }),
    s("path", { d: arrow(points[3], heading), class: `cv-line cv-head ${kind}` }),
  ];
}
