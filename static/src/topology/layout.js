// Computes the position of each mark of the map. Pure: data and a projection in, boxes out, no access to the page.
//   hub   an exchange          pill  a cluster of connectors, a connector or a service at an exchange
//   tag   the rate on a mesh link
// Level of detail: connectors stand as one pill for each cluster until theirs is opened, or the map is close enough
// and the exchange has few; a map shows about 400 marks at most.
const STATES_WORST_FIRST = ["down", "degraded", "unknown", "pending"];
const CLOSE_ZOOM = 4; // zoom from which small exchanges show single connectors
const MAX_SINGLE_PILLS = 24;
const MAX_PILLS = 60; // single pills at one exchange; the rest is a number; the table lists all
const RINGS = [[122, 82, 8], [226, 128, 14], [320, 176, 20], [410, 226, 40]];
const HUB = { width: 124, height: 56 };
const NEIGHBOUR = 320; // pixels; nearer exchanges leave each other the space between them
const PILL_ROOM = { width: 90, height: 96 }; // what an exchange with connectors keeps free around it
const WALL = 1e9; // the weight of what does not move

export const worst = (states) => STATES_WORST_FIRST.find((state) => states.includes(state)) ?? states[0] ?? "unknown";

/** `walls`: boxes of what lies on top of the map; no mark hides under them. */
export function mapLayout({ exchanges, things, meshes }, project, { zoom, open, width, height, walls = [] }) {
  const hubs = new Map();
  for (const exchange of exchanges) {
    const [x, y] = project(exchange);
    hubs.set(exchange.id, { ...exchange, type: "hub", at: [x, y], x, y, ...HUB, weight: 6 });
  }
  separateHubs([...hubs.values()], things);
  const links = meshes.filter(({ from, to }) => hubs.has(from) && hubs.has(to)).map((mesh) => ({ ...mesh, a: hubs.get(mesh.from), b: hubs.get(mesh.to) }));
  const pills = [...hubs.values()].flatMap((hub) => {
    const busy = [
      ...links.filter(({ a, b }) => a === hub || b === hub).map((link) => linkDirection(hub, link)),
      ...neighbours(hub, hubs).map((other) => Math.atan2(other.y - hub.y, other.x - hub.x)),
    ];
    return pillsAround(hub, things.filter((thing) => thing.exchanges.includes(hub.id)), zoom, open, busy);
  });
  const fixed = walls.map((box) => ({ ...box, weight: WALL }));
  separateBoxes([...fixed, ...hubs.values(), ...pills], () => pills.filter((pill) => keepInside(pill, width, height)).length > 0);
  const tags = links.map((link) => {
    const [x, y] = middle(curve(link.a, link.b));
    return { ...link, type: "tag", x, y, width: 82, height: 22, weight: 1 };
  });
  separateTags(tags, [...fixed, ...hubs.values(), ...pills]);
  return { hubs: [...hubs.values()], pills, links, tags };
}

// Exchanges move apart, those that have connectors further, so that each one's stand at itself.
function separateHubs(hubs, things) {
  const boxes = hubs.map((hub) => {
    const room = things.some(({ exchanges }) => exchanges.includes(hub.id)) ? PILL_ROOM : { width: 0, height: 0 };
    return { ...hub, width: hub.width + room.width, height: hub.height + room.height };
  });
  separateBoxes(boxes);
  boxes.forEach(({ x, y }, index) => Object.assign(hubs[index], { x, y }));
}

const neighbours = (hub, hubs) => [...hubs.values()].filter((other) => other !== hub && Math.hypot(other.x - hub.x, other.y - hub.y) < NEIGHBOUR);

/** Return the exchange that a narrow map shows first: that of the selected object, else the one with most objects. */
export function startPosition({ exchanges, things }, selected) {
  const attached = ({ id }) => things.filter((thing) => thing.exchanges.includes(id));
  return exchanges.find((exchange) => exchange.id === selected || attached(exchange).some(({ id }) => id === selected))
    ?? exchanges.reduce((best, exchange) => (attached(exchange).length > attached(best).length ? exchange : best));
}

function pillsAround(hub, things, zoom, open, busy) {
  const clusters = new Map();
  for (const thing of things) {
    if (!clusters.has(thing.cluster)) clusters.set(thing.cluster, []);
    clusters.get(thing.cluster).push(thing);
  }
  const pills = [];
  for (const [name, members] of clusters) {
    const key = `${hub.id}|${name}`;
    const isOpen = members.length === 1 || open.has(key) || (zoom >= CLOSE_ZOOM && things.length <= MAX_SINGLE_PILLS);
    const shown = isOpen ? members.slice(0, MAX_PILLS) : [];
    pills.push(...shown.map((thing) => ({ ...thing, type: "pill", label: thing.name, hub })));
    const rest = members.length - shown.length;
    if (rest > 0) {
      const label = isOpen ? `${rest} more` : name;
      pills.push({ id: key, key, type: "pill", label, count: members.length, icon: members[0].icon, state: worst(members.map(({ state }) => state)), hub, cluster: name });
    }
  }
  placeOnRings(hub, pills, busy);
  return pills;
}

// The direction in which a link leaves a hub.
function linkDirection(hub, { a, b }) {
  const [, control] = curve(a, b);
  return Math.atan2(control[1] - hub.y, control[0] - hub.x);
}

function placeOnRings(hub, pills, busy) {
  let taken = 0;
  for (const [rx, ry, room] of RINGS) {
    const here = pills.slice(taken, taken + room);
    const angles = here.length > 8 ? here.map((_, index) => (2 * Math.PI * index) / here.length) : freeDirections(here.length, busy);
    here.forEach((pill, index) => {
      const angle = angles[index];
      pill.width = 38 + measure(pill.label) + (pill.count ? 8 + measure(String(pill.count)) : 0);
      pill.height = 24;
      pill.weight = 1;
      pill.x = hub.x + rx * Math.cos(angle);
      pill.y = hub.y + ry * Math.sin(angle);
    });
    taken += room;
  }
}

// Return `count` directions, each as far as possible from links and from each other; up and down are preferred.
function freeDirections(count, busy) {
  const slots = Array.from({ length: 24 }, (_, index) => -Math.PI / 2 + (index * Math.PI) / 12);
  const chosen = [];
  const room = (slot) => Math.min(0.9, ...busy.map((angle) => angleBetween(slot, angle)), ...chosen.map((angle) => 0.8 * angleBetween(slot, angle))) + 0.06 * Math.abs(Math.sin(slot));
  while (chosen.length < count) {
    const best = slots.filter((slot) => !chosen.includes(slot)).reduce((best, slot) => (room(slot) > room(best) + 1e-9 ? slot : best));
    chosen.push(best);
  }
  return chosen.sort((a, b) => a - b);
}

function angleBetween(a, b) {
  const turn = Math.abs(a - b) % (2 * Math.PI);
  return Math.min(turn, 2 * Math.PI - turn);
}

// Keep a pill inside the picture when its exchange is. Return whether it was moved.
function keepInside(pill, width, height) {
  const { hub, x, y } = pill;
  if (hub.x < 0 || hub.y < 0 || hub.x > width || hub.y > height) return false;
  pill.x = Math.min(Math.max(x, pill.width / 2 + 4), width - pill.width / 2 - 4);
  pill.y = Math.min(Math.max(y, pill.height / 2 + 4), height - pill.height / 2 - 4);
  return pill.x !== x || pill.y !== y;
}

// Boxes that overlap move apart along the shorter way, the lighter one further; `hold` puts back what left the picture.
function separateBoxes(boxes, hold = () => false, rounds = 40) {
  for (let round = 0; round < rounds; round += 1) {
    let moved = hold();
    for (let i = 0; i < boxes.length; i += 1) {
      for (let j = i + 1; j < boxes.length; j += 1) moved = pushApart(boxes[i], boxes[j]) || moved;
    }
    if (!moved) return;
  }
}

function pushApart(a, b) {
  if (a.weight === WALL && b.weight === WALL) return false;
  const gap = 6;
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const overX = (a.width + b.width) / 2 + gap - Math.abs(dx);
  const overY = (a.height + b.height) / 2 + gap - Math.abs(dy);
  if (overX <= 0 || overY <= 0) return false;
  const share = b.weight / (a.weight + b.weight);
  if (overX < overY) {
    const way = (dx || 1) > 0 ? overX : -overX;
    a.x -= way * share;
    b.x += way * (1 - share);
  } else {
    const way = (dy || 1) > 0 ? overY : -overY;
    a.y -= way * share;
    b.y += way * (1 - share);
  }
  return true;
}

// Rates on links give way to everything else: they move, the rest stays.
function separateTags(tags, fixed) {
  const walls = fixed.map((box) => ({ ...box, weight: WALL }));
  for (let round = 0; round < 30; round += 1) {
    let moved = false;
    for (const [index, tag] of tags.entries()) {
      for (const wall of walls) moved = pushApart(wall, tag) || moved;
      for (const other of tags.slice(index + 1)) moved = pushApart(tag, other) || moved;
    }
    if (!moved) return;
  }
}

// A link bends away from the straight line, the more the longer it is: three control points.
export function curve(a, b) {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const bend = Math.min(0.22, 40 / (Math.hypot(dx, dy) || 1) + 0.08);
  return [[a.x, a.y], [a.x + dx / 2 + dy * bend, a.y + dy / 2 - dx * bend], [b.x, b.y]];
}

const middle = ([a, c, b]) => [(a[0] + 2 * c[0] + b[0]) / 4, (a[1] + 2 * c[1] + b[1]) / 4];

// Width of a label at 12 px, near enough for a box: measuring text forces layout on every frame.
function measure(text) {
  let width = 0;
  for (const letter of text) width += /[ilj.,:'| ]/.test(letter) ? 3.4 : /[mwMW]/.test(letter) ? 10 : /[A-Z]/.test(letter) ? 8 : 6.9;
  return Math.min(width, 168);
}
