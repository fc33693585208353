// The map: coastlines below marks. Land scales with the zoom; marks keep their size and are laid out again.
import { geoMercator, geoPath } from "d3-geo";
import { select as pick } from "d3-selection";
import { zoom as zooming, zoomIdentity } from "d3-zoom";
import { feature, mesh } from "topojson-client";

import { draw, width as linkWidth } from "./draw.js";
import { startPosition, mapLayout } from "./layout.js";

const PADDING = { x: 150, top: 120, bottom: 130 };
const NARROW = 760; // marks of several exchanges would cover one another
const INHABITED = { type: "MultiPoint", coordinates: [[-170, 74], [178, -56]] };

export async function startMap(stage, first, edges, chosen) {
  const svg = stage.querySelector("svg");
  const land = svg.querySelector("[data-land]");
  const marks = svg.querySelector("[data-marks]");
  const world = fetch(document.body.dataset.world).then((answer) => answer.json());
  let picture = first;
  let selected = chosen;
  let transform = zoomIdentity;
  let frameRequest = 0;
  const open = new Set();
  const projection = geoMercator();

  let walls = [];
  const size = () => [stage.clientWidth, stage.clientHeight];
  // Buttons, legend and mesh links lie on the map. Measured when they change, not on every frame.
  const measure = () => {
    const frame = stage.getBoundingClientRect();
    walls = [...stage.parentElement.querySelectorAll(".tp-zoom, .tp-legend, .tp-card")].map((cover) => cover.getBoundingClientRect())
      .filter((box) => box.width && box.top < frame.bottom)
      .map(({ left, top, width, height }) => ({ x: left - frame.left + width / 2, y: top - frame.top + height / 2, width, height }));
  };
  const project = ({ longitude, latitude }) => transform.apply(projection([longitude, latitude]));
  const render = () => {
    frameRequest = 0;
    land.setAttribute("transform", transform);
    const [width, height] = size();
    draw(marks, mapLayout(picture, project, { zoom: transform.k, open, width, height, walls }), { edges, selected });
  };
  const widths = () => picture.meshes.map((link) => linkWidth(link, edges)).join();
  let shown = widths();
  const redraw = () => { frameRequest ||= requestAnimationFrame(render); };

  // One finger scrolls the page, two move the map; a wheel or a drag of the mouse moves it at once.
  const zoomer = zooming().scaleExtent([0.8, 24]).filter((event) => (event.touches ? event.touches.length > 1 : !event.button));
  zoomer.on("zoom", (event) => { transform = event.transform; redraw(); });
  const surface = pick(svg).call(zoomer).on("dblclick.zoom", null);

  const fit = () => {
    const [width, height] = size();
    const points = picture.exchanges.map(({ longitude, latitude }) => projection([longitude, latitude]));
    if (!points.length) return surface.call(zoomer.transform, zoomIdentity);
    if (width < NARROW && points.length > 1) return surface.call(zoomer.transform, viewOfOne(width, height));
    const xs = points.map(([x]) => x);
    const ys = points.map(([, y]) => y);
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const padX = Math.min(PADDING.x, width * 0.24);
    const k = Math.max(0.8, Math.min((width - 2 * padX) / (right - left || 1), (height - PADDING.top - PADDING.bottom) / (bottom - top || 1), 4));
    const middle = [(left + right) / 2, (top + bottom) / 2];
    return surface.call(zoomer.transform, zoomIdentity.translate(width / 2 - middle[0] * k, (height - PADDING.bottom + PADDING.top) / 2 - middle[1] * k).scale(k));
  };

  // One exchange in the middle, the next one at the edge.
  const viewOfOne = (width, height) => {
    const middle = startPosition(picture, selected);
    const point = ({ longitude, latitude }) => projection([longitude, latitude]);
    const [x, y] = point(middle);
    const next = Math.min(...picture.exchanges.filter((exchange) => exchange !== middle).map(point).map((other) => Math.hypot(other[0] - x, other[1] - y)));
    const k = Math.min(3.9, Math.max(1, width / (next || 1)));
    return zoomIdentity.translate(width / 2 - x * k, height / 2 - y * k).scale(k);
  };

  const resize = (topology) => {
    const [width, height] = size();
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    measure();
    projection.clipExtent(null).fitExtent([[0, 0], [width, height]], INHABITED);
    // Antarctica has no exchanges; leaving it out gives the map more room.
    projection.clipExtent([[-width, -height], [2 * width, projection([0, -58])[1]]]);
    const path = geoPath(projection);
    const { land: coasts, countries } = topology.objects;
    land.querySelector(".tp-land").setAttribute("d", path(feature(topology, coasts)));
    land.querySelector(".tp-border").setAttribute("d", path(mesh(topology, countries, (a, b) => a !== b)));
    fit();
  };

  svg.addEventListener("click", (event) => toggle(event.target.closest("[data-open]")));
  svg.addEventListener("keydown", (event) => {
    const mark = event.target.closest("[data-open]");
    if (!mark || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    toggle(mark);
  });
  const toggle = (mark) => {
    if (!mark) return;
    open.add(mark.dataset.open);
    render();
    const hub = mark.dataset.open.split("|")[0];
    marks.querySelector(`[data-mark="${CSS.escape(hub)}"]`)?.focus({ preventScroll: true });
  };

  for (const button of stage.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      if (button.dataset.zoom !== "fit") return surface.call(zoomer.scaleBy, Number(button.dataset.zoom));
      open.clear();
      return fit();
    });
  }

  const topology = await world;
  resize(topology);
  new ResizeObserver(() => resize(topology)).observe(stage);
  return {
    fit,
    zoom: (factor) => surface.call(zoomer.scaleBy, factor),
    rates: () => {
      const now = widths();
      if (now === shown) return;
      shown = now;
      redraw();
    },
    select: (id) => { selected = id; redraw(); },
    show: (next) => { picture = next; measure(); redraw(); },
  };
}
