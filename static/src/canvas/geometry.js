// Where a line between two cards runs and where its chip sits. Pure: rectangles in, numbers out.
//
// A rectangle is {left, top, right, bottom}, a point {x, y}, a curve four points of a cubic Bézier.

const MARGIN = 16;
const LANE = 30; // between two lines that join the same two cards

const middle = (rect, axis) => (axis === "x" ? (rect.left + rect.right) / 2 : (rect.top + rect.bottom) / 2);
const overlaps = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** A height inside `rect` that also faces `other` when they overlap, so that most lines run straight. */
export function facing(rect, other, offset = 0) {
  const low = Math.max(rect.top, other.top) + MARGIN;
  const high = Math.min(rect.bottom, other.bottom) - MARGIN;
  const y = low <= high ? (low + high) / 2 : other.top > rect.top ? rect.bottom - MARGIN - 4 : rect.top + MARGIN + 4;
  return Math.min(Math.max(y + offset, rect.top + 8), rect.bottom - 8);
}

/**
 * The curve from card `a` to card `b`. Cards side by side meet at facing edges, over or under a card (`others`) that
 * stands in the way; cards above each other meet bottom to top, or go round on the right. A card to itself is a loop
 * below it. `slot` tells lines apart that join the same two cards: 0, 1, -1, 2, …
 */
export function route(a, b, others = [], slot = 0) {
  const shift = slot * LANE;
  if (a === b) return loop(a, shift);
  if (a.right <= b.left || b.right <= a.left) {
    const way = a.right <= b.left ? 1 : -1;
    const start = { x: way > 0 ? a.right : a.left, y: facing(a, b, shift) };
    const end = { x: way > 0 ? b.left : b.right, y: facing(b, a, shift) };
    const over = channel(start, end, others);
    if (over !== null) {
      const lift = (8 * (over + shift / 2) - start.y - end.y) / 6; // the height of both handles that brings the middle there
      const reach = (end.x - start.x) * 0.3;
      return { points: [start, { x: start.x + reach, y: lift }, { x: end.x - reach, y: lift }, end], heading: { x: way, y: 0 } };
    }
    const bend = Math.max(24, Math.abs(end.x - start.x) / 2) * way;
    return { points: [start, { x: start.x + bend, y: start.y }, { x: end.x - bend, y: end.y }, end], heading: { x: way, y: 0 } };
  }
  const down = a.top <= b.top;
  const [upper, lower] = down ? [a, b] : [b, a];
  const between = { left: Math.max(a.left, b.left), right: Math.min(a.right, b.right), top: upper.bottom, bottom: lower.top };
  const free = between.top < between.bottom && !others.some((other) => overlaps(other, between));
  if (free) {
    const x = (between.left + between.right) / 2 + shift * 2;
    const start = { x, y: down ? a.bottom : a.top };
    const end = { x, y: down ? b.top : b.bottom };
    const bend = (end.y - start.y) / 2;
    return { points: [start, { x, y: start.y + bend }, { x, y: end.y - bend }, end], heading: { x: 0, y: down ? 1 : -1 } };
  }
  const out = Math.max(a.right, b.right) + 72 + Math.abs(shift);
  const start = { x: a.right, y: middle(a, "y") + shift / 3 };
  const end = { x: b.right, y: middle(b, "y") + shift / 3 };
  return { points: [start, { x: out, y: start.y }, { x: out, y: end.y }, end], heading: { x: -1, y: 0 } };
}

// From the left part of the bottom edge down and up again into the right part.
function loop(card, shift) {
  const wide = (card.right - card.left) / 3 + Math.abs(shift) / 3;
  const x = middle(card, "x");
  const deep = card.bottom + 40 + Math.abs(shift);
  const start = { x: x - wide, y: card.bottom };
  const end = { x: x + wide, y: card.bottom };
  return { points: [start, { x: start.x, y: deep }, { x: end.x, y: deep }, end], heading: { x: 0, y: -1 } };
}

// The height at which a line passes what stands between its ends: just above or just below it, whichever is nearer;
// null when nothing is in the way.
function channel(start, end, others) {
  const [left, right] = [Math.min(start.x, end.x), Math.max(start.x, end.x)];
  const at = (x) => start.y + ((end.y - start.y) * (x - start.x)) / (end.x - start.x);
  const inWay = others.filter((card) => card.left > left && card.right < right
    && Math.min(at(card.left), at(card.right)) < card.bottom + 4 && Math.max(at(card.left), at(card.right)) > card.top - 4);
  if (!inWay.length) return null;
  const above = Math.min(...inWay.map(({ top }) => top)) - MARGIN;
  const below = Math.max(...inWay.map(({ bottom }) => bottom)) + MARGIN;
  const straight = (start.y + end.y) / 2;
  return straight - above <= below - straight ? above : below;
}

/** The SVG path of a curve. */
export function path([a, b, c, d]) {
  const at = ({ x, y }) => `${round(x)} ${round(y)}`;
  return `M${at(a)}C${at(b)} ${at(c)} ${at(d)}`;
}

/** The two strokes of an arrow head at `tip`, pointing along the unit vector `heading`. */
export function arrow(tip, heading, length = 7, half = 4.5) {
  const back = { x: tip.x - length * heading.x, y: tip.y - length * heading.y };
  const left = { x: back.x - half * heading.y, y: back.y - half * heading.x };
  const right = { x: back.x + half * heading.y, y: back.y + half * heading.x };
  return `M${round(left.x)} ${round(left.y)}L${round(tip.x)} ${round(tip.y)}L${round(right.x)} ${round(right.y)}`;
}

/** The point of a curve at `t`, 0 at its start and 1 at its end. */
export function along([a, b, c, d], t) {
  const u = 1 - t;
  const mix = (axis) => u * u * u * a[axis] + 3 * u * u * t * b[axis] + 3 * u * t * t * c[axis] + t * t * t * d[axis];
  return { x: mix("x"), y: mix("y") };
}

/**
 * Where a chip of `size` sits: on the curve near its middle when it covers nothing of `taken` there, else as near as it
 * can beside it. `bow` is how far both handles of the curve have to move to run through it (see `bendThrough`).
 */
export function placeChip(points, size, taken = []) {
  let best = null;
  for (const { t, dx, dy } of CHIP_POSITIONS) {
    const on = along(points, t);
    const [x, y] = [on.x + dx, on.y + dy];
    const box = { left: x - size.width / 2, right: x + size.width / 2, top: y - size.height / 2, bottom: y + size.height / 2 };
    const covered = taken.reduce((sum, rect) => sum + shared(box, rect), 0);
    if (!best || covered < best.covered) {
      const pull = 3 * t * (1 - t);
      best = { x, y, box, covered, bow: { x: dx / pull, y: dy / pull } };
    }
    if (!covered) break;
  }
  return best;
}

/** The curve with both handles moved by `bow`. */
export function bendThrough([a, b, c, d], { x, y }) {
  return [a, { x: b.x + x, y: b.y + y }, { x: c.x + x, y: c.y + y }, d];
}

// Tried in this order: along the curve first, then ever further beside it.
const ALONG = [0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.36].flatMap((off) => (off ? [0.5 - off, 0.5 + off] : [0.5]));
const BESIDE = [16, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160];
const CHIP_POSITIONS = [
  ...ALONG.map((t) => ({ t, dx: 0, dy: 0 })),
  ...BESIDE.flatMap((by) => [[0, by], [0, -by], [by, 0], [-by, 0]].flatMap(([dx, dy]) => [0.5, 0.42, 0.58, 0.34, 0.66].map((t) => ({ t, dx, dy })))),
];

const shared = (a, b) => Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) * Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

/** How far `point` is from a curve, measured at 24 places of it. */
export function distance(points, point) {
  let best = Infinity;
  for (let step = 0; step <= 24; step += 1) {
    const at = along(points, step / 24);
    best = Math.min(best, Math.hypot(at.x - point.x, at.y - point.y));
  }
  return best;
}

/** 0, 1, -1, 2, -2 … for the nth line between the same two cards. */
export const slotOffset = (n) => (n % 2 ? (n + 1) / 2 : -n / 2) || 0;

/** The index of the rectangle that lies in the direction of an arrow key as seen from `from`, or -1. */
export function neighbour(from, rects, key) {
  const [axis, sign] = { ArrowRight: ["x", 1], ArrowLeft: ["x", -1], ArrowDown: ["y", 1], ArrowUp: ["y", -1] }[key] || [];
  if (!axis) return -1;
  const across = axis === "x" ? "y" : "x";
  let best = -1;
  let least = Infinity;
  rects.forEach((rect, index) => {
    const ahead = (middle(rect, axis) - middle(from, axis)) * sign;
    if (ahead < 4) return;
    const cost = ahead + 2 * Math.abs(middle(rect, across) - middle(from, across));
    if (cost < least) [best, least] = [index, cost];
  });
  return best;
}

const round = (value) => Math.round(value * 10) / 10;
