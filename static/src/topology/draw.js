// Renders the layout of layout.js as SVG. Marks are links, so the keyboard reaches them and they open in a new tab.
import { s } from "../lib/dom.js";
import { rateParts, total } from "../lib/rates.js";
import { curve } from "./layout.js";

const TONES = { up: "ok", healthy: "ok", degraded: "warn", stale: "warn", down: "bad", failed: "bad" };
const WORDS = { up: "healthy", unknown: "state unknown", pending: "not provisioned yet" };
export const tone = (state) => TONES[state] ?? "idle";
const word = (state) => WORDS[state] ?? state;

const address = ({ id }) => `?select=${encodeURIComponent(id)}`;
const use = (name) => s("use", { href: `${document.body.dataset.icons}#${name}` });
const box = ({ x, y, width, height }) => `translate(${(x - width / 2).toFixed(1)} ${(y - height / 2).toFixed(1)})`;

export function draw(layer, { hubs, pills, links, tags }, { edges, selected }) {
  const at = document.activeElement?.closest?.("[data-mark]")?.dataset.mark;
  layer.replaceChildren(
    s("g", { class: "tp-spokes" }, pills.map((pill) => s("path", { d: `M${pill.hub.x} ${pill.hub.y}L${pill.x} ${pill.y}`, class: `is-${tone(pill.state)}` }))),
    s("g", { class: "tp-anchors" }, hubs.filter(away).map((hub) => s("path", { d: `M${hub.at}L${hub.x} ${hub.y}` }))),
    ...links.flatMap((link) => lines(link, edges)),
    ...tags.map((tag) => (tone(tag.state) === "bad" || width(tag, edges) ? rateTag(tag, edges, selected) : idleMark(tag, selected))),
    ...pills.map((pill) => pillMark(pill, selected)),
    ...hubs.map((hub) => hubMark(hub, edges, selected)),
  );
  if (at) layer.querySelector(`[data-mark="${CSS.escape(at)}"]`)?.focus();
}

const away = (hub) => Math.hypot(hub.at[0] - hub.x, hub.at[1] - hub.y) > 12;

// How wide a link is drawn, "" when nothing flows. While these stay, new rates only change words.
export function width(link, edges) {
  const bits = tone(link.state) === "bad" ? 0 : (total(edges, [link.id]) ?? 0);
  return bits > 5e8 ? "w5" : bits > 5e7 ? "w3" : bits > 0 ? "w2" : "";
}

function lines(link, edges) {
  const [a, c, b] = curve(link.a, link.b);
  const d = `M${a}Q${c} ${b}`;
  const wide = width(link, edges);
  return [
    s("path", { class: `tp-link ${wide || "w2"} is-${tone(link.state)}`, d }),
    wide ? s("path", { class: `tp-flow ${wide}`, d }) : null,
  ].filter(Boolean);
}

// A mark is named by its title and what is written in it, which rates go on changing.
let marks = 0;
function named(title) {
  marks += 1;
  const [titleId, textId] = [`tp-title-${marks}`, `tp-text-${marks}`];
  return { title: s("title", { id: titleId }, title), textId, labelledBy: `${titleId} ${textId}` };
}

const linkMark = (tag, selected, classes) => ({ class: `${classes} is-${tone(tag.state)}`, href: address(tag), "data-mark": tag.id, "aria-current": tag.id === selected ? "true" : null });
const linkName = (tag) => `Mesh link ${tag.a.name} to ${tag.b.name}, ${word(tag.state)}`;

function rateTag(tag, edges, selected) {
  const down = tone(tag.state) === "bad";
  const text = down ? "Down" : rateParts(total(edges, [tag.id])).join(" ").trim();
  const { title, textId, labelledBy } = named(`${linkName(tag)},`);
  return s("a", { ...linkMark(tag, selected, "tp-rate"), "aria-labelledby": labelledBy }, title,
    s("g", { transform: box(tag) }, s("rect", { width: tag.width, height: tag.height, rx: 6 }), s("text", { id: textId, x: tag.width / 2, y: 15, "text-anchor": "middle" }, s("tspan", { class: "v", "data-rates": down ? null : tag.id }, text))));
}

// A link without traffic has a mark to select it, and no number.
function idleMark(tag, selected) {
  return s("a", { ...linkMark(tag, selected, "tp-idle"), "aria-label": `${linkName(tag)}, no traffic` },
    s("circle", { cx: tag.x, cy: tag.y, r: 12, class: "tp-hit" }), s("circle", { cx: tag.x, cy: tag.y, r: 5 }));
}

function pillMark(pill, selected) {
  const bad = ["warn", "bad"].includes(tone(pill.state));
  const mark = s("g", { transform: box(pill) },
    s("rect", { width: pill.width, height: pill.height, rx: 12 }),
    s("svg", { x: 8, y: 5, width: 14, height: 14, viewBox: "0 0 24 24", class: "ic" }, use(bad ? "alert-triangle" : pill.icon)),
    s("text", { x: 26, y: 16 }, clip(pill.label, 24)),
    pill.count ? s("text", { class: "n", x: pill.width - 10, y: 16, "text-anchor": "end" }, String(pill.count)) : null);
  const common = { class: `tp-pill is-${tone(pill.state)}`, "data-mark": pill.id };
  if (pill.key) {
    return s("g", { ...common, role: "button", tabindex: 0, "aria-expanded": "false", "data-open": pill.key, "aria-label": `${pill.cluster}, ${pill.count} at ${pill.hub.name}, ${word(pill.state)}; show each` }, mark);
  }
  return s("a", { ...common, href: address(pill), "aria-current": pill.id === selected ? "true" : null, "aria-label": `${pill.label}, ${pill.word} at ${pill.hub.name}, ${word(pill.state)}` }, mark);
}

const clip = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function hubMark(hub, edges, selected) {
  const [value, unit] = rateParts(total(edges, hub.edges));
  const { title, textId, labelledBy } = named(`Exchange, ${word(hub.state)}, ${hub.up} of ${hub.nodes} nodes up,`);
  return s("a", { class: `tp-hub is-${tone(hub.state)}`, href: address(hub), "data-mark": hub.id, "aria-current": hub.id === selected ? "true" : null, "aria-labelledby": labelledBy }, title,
    s("g", { transform: box(hub), id: textId },
      s("rect", { width: hub.width, height: hub.height, rx: 8 }),
      s("circle", { cx: 14, cy: 15, r: 4 }),
      s("text", { class: "t", x: 24, y: 19 }, clip(hub.name, 13)),
      s("text", { class: "p", x: 24, y: 33 }, clip(hub.place, 15)),
      s("text", { x: 10, y: 49 }, s("tspan", { class: "v", "data-rates": hub.edges.join(" "), "data-part": "value" }, value), " ", s("tspan", { "data-rates": hub.edges.join(" "), "data-part": "unit" }, unit)),
      s("text", { x: hub.width - 10, y: 49, "text-anchor": "end" }, `${hub.up}/${hub.nodes}`)));
}
