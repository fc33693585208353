// The draft as YAML: edit, dry run, save as one edit; each problem links to its line.
import { call, finished } from "./lib/api.js";
import { actionCountsText, countsText, renderDifferences } from "./lib/differences.js";
import { h, icon } from "./lib/dom.js";
import { release, unsaved } from "./lib/guard.js";
import { signInLink } from "./lib/sign_in.js";
import { toast } from "./lib/toast.js";
import { lineOf } from "./forms/yaml_lines.js";

const page = document.getElementById("dc");
const text = document.getElementById("dc-text");
const gutter = document.getElementById("dc-lines");
const side = document.getElementById("dc-side");
const { api } = page.dataset;
const { tag } = page.dataset;
const editor = text.closest("[data-guard]");

numberLines();
text.addEventListener("input", numberLines);
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
}
document.body.addEventListener("changed:draft", ({ detail }) => {
  if (detail.id !== page.dataset.draft || busy) return;
  if (!unsaved(editor).length) location.reload();
  else showInPanel(h("div", { class: "cw-note is-warn", role: "status" }, icon("alert-triangle"), h("div", {},
    h("b", {}, "The draft was changed by somebody else."), " Saving this text would be refused. Copy what you need, then ",
    h("a", { href: location.href }, "load it again"), ".")));
});
document.body.addEventListener("draft:moved", (event) => {
  event.preventDefault();
  location.reload();
});

let busy = false;

function send(query = "", etag = undefined) {
  return call("PUT", `${api}intent/${query}`, text.value, { type: "application/yaml", etag });
}

async function check() {
  await runExclusive(async () => {
    const { counts, differences } = await finished(await send("?dry_run=1"));
    const summary = counts ? countsText(counts) : actionCountsText(differences);
    showInPanel(h("h2", {}, `Saving it: ${summary}`), await renderDifferences(differences, page.dataset.names));
  });
}

async function save() {
  await runExclusive(async () => {
    await finished(await send("", tag));
    release(editor);
    toast("ok", "Saved to the draft. Undo takes it back.");
    location.reload();
  });
}

async function runExclusive(work) {
  if (busy) return;
  busy = true;
  showInPanel(h("p", { class: "ink-2", role: "status" }, "Reading the text…"));
  try {
    await work();
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    showProblems(problem);
  }
  busy = false;
}

function showProblems(problem) {
  const problems = problem.problems.length ? problem.problems : [{ message: problem.message, path: "" }];
  const items = problems.slice(0, 50).map(({ message, path }) => {
    const line = /line (\d+)/.exec(message)?.[1] - 1;
    const lineIndex = path ? lineOf(text.value, path) : Number.isNaN(line) ? null : line;
    return h("li", { class: "cw-note is-bad" }, icon("circle-x"), h("div", {}, h("b", {}, message),
      lineIndex === null ? null : h("p", {}, h("button", { type: "button", class: "cv-plain is-link mono", "data-line": String(lineIndex) }, `line ${lineIndex + 1}${path ? `, ${path}` : ""}`))));
  });
  const signIn = problem.status === 401 ? h("p", { "data-problem": true }, signInLink()) : null;
  const head = problem.status === 412 ? "The draft was changed since you loaded this text" : problems.length === 1 ? "The text cannot be saved" : `${problems.length} problems`;
  showInPanel(h("h2", {}, head), h("div", { class: "cw-problems", role: "alert" }, h("ul", {}, ...items), signIn));
}

side.addEventListener("click", ({ target }) => {
  const lineIndex = target.closest("[data-line]")?.dataset.line;
  if (lineIndex === undefined) return;
  const lines = text.value.split("\n");
  const start = lines.slice(0, Number(lineIndex)).join("\n").length + (Number(lineIndex) ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + lines[lineIndex].length);
  text.scrollTop = Math.max(0, (Number(lineIndex) - 6) * parseFloat(getComputedStyle(text).lineHeight));
});

function numberLines() {
  const count = text.value.split("\n").length;
  if (Number(gutter.dataset.count) === count) return;
  gutter.dataset.count = String(count);
  gutter.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
}

function showInPanel(...children) {
  side.replaceChildren(h("section", {}, ...children));
}
