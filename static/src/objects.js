// Every kind on a page: the list, and the panel in which an object is added, changed or read.
import { startDraftPage } from "./lib/draft_page.js";
import { refresh, select } from "./lib/refresh.js";
import { closeOnEscape, shortcut } from "./lib/shortcuts.js";
import { startBulkEdits } from "./forms/bulk_edit.js";
import { startObjectForms } from "./forms/object_form.js";

const page = document.getElementById("ob");
const panel = () => document.getElementById("ob-panel");
const say = (words) => { document.getElementById("cv-status").textContent = words; };
let opener = null;

startObjectForms();
startDraftPage(page, { panel: "ob-panel" });
startBulkEdits(page, refresh);
closeOnEscape(() => !panel().hidden, () => show(""));
shortcut("n", "Add one of this kind", () => document.querySelector("[data-new]")?.click());
shortcut("j", "Next kind", () => step(1));
shortcut("k", "Previous kind", () => step(-1));
document.querySelector(".ob-kind[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-select]");
  if (!chosen || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (chosen.dataset.select) opener = chosen.id;
  show(chosen.dataset.select);
});

document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.(".ob-table tbody tr");
  const next = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
  if (next) {
    event.preventDefault();
    next.querySelector("a")?.focus();
  }
});

document.body.addEventListener("saved", ({ detail: { source } }) => {
  say(source.dataset.said ?? ("deselect" in source.dataset ? "Removed in this draft." : "Saved in this draft."));
  if ("deselect" in source.dataset || source.dataset.method === "POST") show("");
  else refresh();
});

document.body.addEventListener("changed:list", () => refresh());

async function show(key) {
  if (!(await select(key))) return;
  if (key) (panel().querySelector("form input:not([type=hidden])") ?? panel().querySelector("h2"))?.focus();
  else document.getElementById(opener)?.focus();
}

function step(way) {
  const kinds = [...document.querySelectorAll(".ob-kind")];
  const index = kinds.findIndex((kind) => kind.hasAttribute("aria-current"));
  kinds[(index + way + kinds.length) % kinds.length].click();
}
