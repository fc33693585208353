// The topology page: map and table of the same data, one thing selected, rates from the socket.
import { startFirstNetwork } from "./topology/first_network.js";
import { startMap } from "./topology/map.js";
import { startTimeline } from "./topology/timeline.js";
import { data } from "./lib/dom.js";
import { writeRates } from "./lib/rates.js";
import { liveStatus } from "./lib/socket.js";
import { shortcut } from "./lib/shortcuts.js";
import { timeOfDay } from "./lib/times.js";

const STALE_AFTER = 20_000; // milliseconds without rates, after some came
const edges = {};
const indicator = document.querySelector("[data-live]");
indicator.hidden = Boolean(then());
let lastRatesAt = null;
let map = null;

function readPicture() {
  const picture = data("picture");
  for (const [id, rates] of Object.entries(picture.rates)) if (then() || !(id in edges)) edges[id] = rates;
  return picture;
}

// The moment of the past that is shown, "" where it is live.
function then() {
  return new URLSearchParams(location.search).get("at") ?? "";
}

async function showMoment(at) {
  const url = new URL(location);
  if (at) url.searchParams.set("at", at); else url.searchParams.delete("at");
  history.replaceState(null, "", url);
  updateIndicator();
  for (const id of Object.keys(edges)) delete edges[id];
  const address = url.pathname + url.search;
  document.getElementById("tp-data").setAttribute("hx-get", address);
  await htmx.ajax("GET", address, { source: "#tp-data", target: "#tp-data", swap: "innerHTML" });
  if (selected()) await loadPanel(selected());
}

function loadPanel(id) {
  const query = new URLSearchParams(location.search);
  query.set("select", id);
  return htmx.ajax("GET", `${location.pathname}side/?${query}`, { target: "#tp-side", swap: "outerHTML" });
}

const timeText = (moment) => timeOfDay(moment, { seconds: true });

function updateIndicator() {
  indicator.hidden = Boolean(then());
  const quiet = lastRatesAt && Date.now() - lastRatesAt > STALE_AFTER;
  const live = liveStatus.live && !quiet;
  indicator.classList.toggle("is-stale", !live);
  const text = live ? `Live · ${timeText(lastRatesAt ?? liveStatus.since)}` : `Stale since ${timeText(quiet ? lastRatesAt : liveStatus.since)}${liveStatus.live ? "" : ", reconnecting"}`;
  if (indicator.textContent !== text) indicator.textContent = text;
}

async function select(id, push = true) {
  const url = new URL(location);
  if (id) url.searchParams.set("select", id); else url.searchParams.delete("select");
  if (push && url.href !== location.href) history.pushState(null, "", url);
  map?.select(id);
  for (const row of document.querySelectorAll("tr[data-thing]")) row.setAttribute("aria-selected", String(row.dataset.thing === id));
  document.querySelector(".tp").classList.toggle("is-alone", !id);
  await loadPanel(id);
  writeRates(document, edges);
  showPanel();
}

// On a narrow page the panel is below the map: what was selected there is where the eye is.
function showPanel() {
  const panel = document.getElementById("tp-side");
  if (panel.hidden || !matchMedia("(max-width: 760px)").matches) return;
  panel.scrollIntoView({ block: "start" });
  panel.querySelector("h2").focus({ preventScroll: true });
}

const firstNetwork = document.querySelector("[data-first-network]");
if (firstNetwork) startFirstNetwork(firstNetwork);

const selected = () => new URLSearchParams(location.search).get("select") ?? "";

document.addEventListener("click", (event) => {
  const anchor = event.target.closest('a[href^="?select="]:not([hx-get])');
  if (!anchor || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  select(new URLSearchParams(anchor.getAttribute("href")).get("select"));
});
addEventListener("popstate", () => select(selected(), false));

const stage = document.querySelector(".tp-stage");
const first = readPicture();
if (stage) map = await startMap(stage, first, edges, selected());
writeRates(document, edges);

document.body.addEventListener("rates", ({ detail }) => {
  lastRatesAt = new Date(detail.at ?? Date.now());
  if (then()) return;
  Object.assign(edges, detail.edges);
  map?.rates();
  writeRates(document, edges);
  updateIndicator();
});
document.body.addEventListener("live", updateIndicator);
document.body.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target.id === "tp-data") {
    const picture = readPicture();
    map?.show(picture);
  }
  writeRates(document, edges);
});
setInterval(updateIndicator, 1000);
const timeline = document.querySelector("[data-timeline]");
if (timeline) startTimeline(timeline, showMoment);
if (stage) {
  shortcut("0", "Show the whole network", () => map.fit());
  shortcut("+", "Zoom in", () => map.zoom(1.6));
  shortcut("-", "Zoom out", () => map.zoom(1 / 1.6));
}
shortcut("Escape", "Close the panel", () => selected() && select(""));
