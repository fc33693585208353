// The topology page: map and table of the same data, one thing selected, rates from the socket.
import { startMap } from "./topology/map.js";
import { data } from "./lib/dom.js";
import { writeRates } from "./lib/rates.js";
import { link } from "./lib/socket.js";
import { shortcut } from "./lib/shortcuts.js";

const QUIET = 20_000; // no rates for so long, after some came: say so
const edges = {};
const indicator = document.querySelector("[data-live]");
let heard = null;
let map = null;

function read() {
  const picture = data("picture");
  for (const [id, rates] of Object.entries(picture.rates)) edges[id] ??= rates;
  return picture;
}

function clock(moment) {
  return moment.toLocaleTimeString("en-GB");
}

function tell() {
  const quiet = heard && Date.now() - heard > QUIET;
  const live = link.live && !quiet;
  indicator.classList.toggle("is-stale", !live);
  const text = live ? `Live · ${clock(heard ?? link.since)}` : `Stale since ${clock(quiet ? heard : link.since)}${link.live ? "" : ", reconnecting"}`;
  if (indicator.textContent !== text) indicator.textContent = text;
}

async function select(id, push = true) {
  const url = new URL(location);
  if (id) url.searchParams.set("select", id); else url.searchParams.delete("select");
  if (push && url.href !== location.href) history.pushState(null, "", url);
  map?.select(id);
  for (const row of document.querySelectorAll("tr[data-thing]")) row.setAttribute("aria-selected", String(row.dataset.thing === id));
  document.querySelector(".tp").classList.toggle("is-alone", !id);
  await htmx.ajax("GET", `${url.pathname}side/?select=${encodeURIComponent(id)}`, { target: "#tp-side", swap: "outerHTML" });
  writeRates(document, edges);
}

const selected = () => new URLSearchParams(location.search).get("select") ?? "";

document.addEventListener("click", (event) => {
  const go = event.target.closest('a[href^="?select="]');
  if (!go || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  select(new URLSearchParams(go.getAttribute("href")).get("select"));
});
addEventListener("popstate", () => select(selected(), false));

const stage = document.querySelector(".tp-stage");
const first = read();
if (stage) map = await startMap(stage, first, edges, selected());
writeRates(document, edges);

document.body.addEventListener("rates", ({ detail }) => {
  heard = new Date(detail.at ?? Date.now());
  Object.assign(edges, detail.edges);
  map?.rates();
  writeRates(document, edges);
  tell();
});
document.body.addEventListener("live", tell);
document.body.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target.id === "tp-data") map?.show(read());
  writeRates(document, edges);
});
setInterval(tell, 1000);
if (stage) {
  shortcut("0", "Show the whole network", () => map.fit());
  shortcut("+", "Zoom in", () => map.zoom(1.6));
  shortcut("-", "Zoom out", () => map.zoom(1 / 1.6));
}
shortcut("Escape", "Close the panel", () => selected() && select(""));
