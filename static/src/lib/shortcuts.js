// Keys. "?" lists them; single keys can be turned off (WCAG 2.1.4).
import { h } from "./dom.js";

const keys = new Map(); // "g t" -> {word, run}
let first = "";

// A page adds its own: shortcut("z", "Zoom to everything", fit).
export function shortcut(stroke, word, run) {
  keys.set(stroke, { word, run });
}

const go = (id) => () => document.querySelector(`.cw-navlink[data-page="${id}"]`)?.click();

export function startShortcuts() {
  shortcut("?", "This list", show);
  shortcut("/", "Search or jump to (also Ctrl K)", () => document.querySelector("[data-palette]").click());
  shortcut("t", "Switch tenant", () => document.querySelector('[popovertarget="switcher"]')?.click());
  for (const [key, id] of [["t", "topology"], ["d", "design"], ["c", "connectors"], ["p", "plans"], ["r", "runs"], ["e", "network"], ["f", "trace"], ["w", "reach"], ["u", "usage"], ["i", "invoices"]]) {
    const there = document.querySelector(`.cw-navlink[data-page="${id}"]`);
    if (there) shortcut(`g ${key}`, `Go to ${there.textContent.trim()}`, go(id));
  }
  document.querySelector("[data-shortcuts]")?.addEventListener("click", show);
  const single = document.querySelector("[data-single-keys]");
  single.checked = on();
  single.addEventListener("change", () => localStorage.setItem("keys", single.checked ? "on" : "off"));
  document.addEventListener("keydown", press);
}

const on = () => localStorage.getItem("keys") !== "off";

function press(event) {
  if (!on() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog, [role=grid]")) return;
  const stroke = first ? `${first} ${event.key}` : event.key;
  first = "";
  const found = keys.get(stroke);
  if (found) {
    event.preventDefault();
    found.run();
  } else if ([...keys.keys()].some((key) => key.startsWith(`${event.key} `))) {
    first = event.key;
    setTimeout(() => { first = ""; }, 1200);
  }
}

function show() {
  const list = document.getElementById("shortcut-list");
  list.replaceChildren(...[...keys].map(([stroke, { word }]) =>
    h("div", {}, h("dt", {}, ...stroke.split(" ").map((key) => h("kbd", {}, key))), h("dd", {}, word))));
  document.getElementById("shortcuts").showModal();
}
