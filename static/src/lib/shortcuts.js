// Keys. "?" lists them; single keys can be turned off (WCAG 2.1.4).
import { h } from "./dom.js";

const keys = new Map(); // "g t" or "Ctrl Z" -> {word, run}
let prefix = "";

// A page adds its own: shortcut("z", "Show the whole network", fit). Without `run` it is only listed.
export function shortcut(stroke, word, run) {
  keys.set(stroke, { word, run });
}

/** Escape closes a panel, also from a field in it; dialogs, menus and what handles the key itself come first. */
export function closeOnEscape(isOpen, close) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], :popover-open")) return;
    if (!isOpen()) return;
    event.preventDefault(); // the same key would close the dialog that asks about what is half typed
    close();
  });
}

const go = (id) => () => document.querySelector(`.cw-navlink[data-page="${id}"]`)?.click();

export function startShortcuts() {
  shortcut("?", "This list", show);
  shortcut("/", "Search or jump to (also Ctrl K)", () => document.querySelector("[data-palette]").click());
  shortcut("g s", "Switch tenant", () => document.querySelector('[popovertarget="switcher"]')?.click());
  for (const [key, id] of [["o", "topology"], ["d", "design"], ["l", "rules"], ["c", "connectors"], ["p", "plans"], ["r", "runs"], ["a", "network"], ["t", "trace"], ["e", "reach"], ["u", "usage"], ["i", "invoices"]]) {
    const link = document.querySelector(`.cw-navlink[data-page="${id}"]`);
    if (link) shortcut(`g ${key}`, `Go to ${link.textContent.trim()}`, go(id));
  }
  document.querySelector("[data-shortcuts]")?.addEventListener("click", show);
  const single = document.querySelector("[data-single-keys]");
  single.checked = areEnabled();
  single.addEventListener("change", () => localStorage.setItem("keys", single.checked ? "on" : "off"));
  document.addEventListener("keydown", onKeydown);
}

const areEnabled = () => localStorage.getItem("keys") !== "off";

function onKeydown(event) {
  if (event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog, [role=grid]")) return;
  const hasControl = event.ctrlKey || event.metaKey;
  if (!hasControl && !areEnabled()) return;
  const stroke = hasControl ? controlStroke(event) : prefix ? `${prefix} ${event.key}` : event.key;
  prefix = "";
  const match = keys.get(stroke);
  if (match?.run) {
    event.preventDefault();
    match.run();
  } else if ([...keys.keys()].some((key) => key.startsWith(`${event.key} `))) {
    prefix = event.key;
    setTimeout(() => { prefix = ""; }, 1200);
  }
}

const controlStroke = ({ shiftKey, key }) => `Ctrl ${shiftKey ? "Shift " : ""}${key.toUpperCase()}`;

function show() {
  const list = document.getElementById("shortcut-list");
  list.replaceChildren(...[...keys].map(([stroke, { word }]) =>
    h("div", {}, h("dt", {}, ...stroke.split(" ").map((key) => h("kbd", {}, key))), h("dd", {}, word))));
  document.getElementById("shortcuts").showModal();
}
