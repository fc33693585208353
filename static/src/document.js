// The draft as YAML: edited, tried, saved as one edit; problems lead to their lines.
import { call } from "./lib/api.js";
import { actionCountsText, drawn } from "./lib/differences.js";
import { h, icon } from "./lib/dom.js";
import { toast } from "./lib/toast.js";
import { lineOf } from "./forms/yaml_lines.js";

const page = document.getElementById("dc");
const text = document.getElementById("dc-text");
const gutter = document.getElementById("dc-lines");
const side = document.getElementById("dc-side");
const { api } = page.dataset;
let saved = text.value;
const { tag } = page.dataset;
const dirty = () => text.value !== saved;

number();
text.addEventListener("input", number);
text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; });
document.querySelector("[data-copy-from]").addEventListener("click", async () => {
  await navigator.clipboard.writeText(text.value);
  toast("ok", "Copied.");
});
if ("edit" in page.dataset) {
  document.getElementById("dc-check").addEventListener("click", check);
  document.getElementById("dc-save").addEventListener("click", save);
  text.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || !["s", "Enter"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "s") save();
    else check();
  });
  window.addEventListener("beforeunload", (event) => { if (dirty()) event.preventDefault(); });
}
document.body.addEventListener("changed:draft", ({ detail }) => {
  if (detail.id !== page.dataset.draft || busy) return;
  if (!dirty()) location.reload();
  else show(h("div", { class: "cw-note is-warn", role: "status" }, icon("alert-triangle"), h("div", {},
    h("b", {}, "The draft was changed meanwhile."), " Saving this text would be refused. Copy what you need, then ",
    h("a", { href: location.href }, "load it again"), ".")));
});
document.body.addEventListener("draft:moved", (event) => {
  event.preventDefault();
  saved = text.value;
  location.reload();
});

let busy = false;

function send(query = "", etag = undefined) {
  return call("PUT", `${api}intent/${query}`, text.value, { type: "application/yaml", etag });
}

async function check() {
  await tried(async () => {
    const { data } = await send("?dry_run=1");
    show(h("h2", {}, `Saving it: ${actionCountsText(data.differences)}`), await drawn(data.differences, page.dataset.names));
  });
}

async function save() {
  await tried(async () => {
    await send("", `"${tag}"`);
    saved = text.value;
    toast("ok", "Saved to the draft. Undo takes it back.");
    location.reload();
  });
}

async function tried(work) {
  if (busy) return;
  busy = true;
  show(h("p", { class: "ink-2", role: "status" }, "Reading it…"));
  try {
    await work();
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    refuse(problem);
  }
  busy = false;
}

function refuse(problem) {
  const found = problem.problems.length ? problem.problems : [{ message: problem.message, path: "" }];
  const listed = found.slice(0, 50).map(({ message, path }) => {
    const line = /line (\d+)/.exec(message)?.[1] - 1;
    const place = path ? lineOf(text.value, path) : Number.isNaN(line) ? null : line;
    return h("li", { class: "cw-note is-bad" }, icon("circle-x"), h("div", {}, h("b", {}, message),
      place === null ? null : h("p", {}, h("button", { type: "button", class: "cv-plain is-link mono", "data-line": String(place) }, `line ${place + 1}${path ? `, ${path}` : ""}`))));
  });
  const head = problem.status === 412 ? "The draft was changed since you loaded this text" : found.length === 1 ? "It cannot be saved like this" : `${found.length} problems`;
  show(h("h2", {}, head), h("div", { class: "cw-problems", role: "alert" }, h("ul", {}, ...listed)));
}

side.addEventListener("click", ({ target }) => {
  const place = target.closest("[data-line]")?.dataset.line;
  if (place === undefined) return;
  const lines = text.value.split("\n");
  const start = lines.slice(0, Number(place)).join("\n").length + (Number(place) ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + lines[place].length);
  text.scrollTop = Math.max(0, (Number(place) - 6) * parseFloat(getComputedStyle(text).lineHeight));
});

function number() {
  const count = text.value.split("\n").length;
  if (Number(gutter.dataset.count) === count) return;
  gutter.dataset.count = String(count);
  gutter.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
}

function show(...children) {
  side.replaceChildren(h("section", {}, ...children));
}
