// Import of files of another system: a dry run shows what they change and what could not be said; then one edit.
import { call, finished, Problem } from "./lib/api.js";
import { renderDifferences, countsText } from "./lib/differences.js";
import { h, icon } from "./lib/dom.js";
import { release } from "./lib/guard.js";
import { resultCard, showResult } from "./lib/result_card.js";
import { signInLink } from "./lib/sign_in.js";
import { withSubmitGuard } from "./forms/submit.js";

const IGNORED = "-"; // no column is read as the field
const NOTE_KINDS = { left_out: ["Left out", "is-bad"], needed: ["Needed before provisioning", "is-warn"], assumed: ["Assumed", "is-warn"] };

const page = document.getElementById("im");
const format = document.getElementById("im-format");
const input = document.getElementById("im-file");
const text = document.getElementById("im-text");
const drop = document.getElementById("im-drop");
const result = document.getElementById("im-result");
const checkButton = document.getElementById("im-check");
let files = [];

const chosenFormat = () => format.selectedOptions[0];
const mapping = () => document.querySelector(`[data-mapping="${format.value}"]`);

if (format) {
  format.addEventListener("change", showFormat);
  input.addEventListener("change", () => choose([...input.files]));
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("is-target", name === "dragover");
      if (name === "drop") choose([...event.dataTransfer.files]);
    });
  }
  text.addEventListener("input", () => choose([]));
  page.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-check]");
    if (button) check(button);
  });
  page.addEventListener("change", ({ target }) => {
    if (target.closest("[data-column], [data-option]")) result.replaceChildren();
  });
  // Files may be chosen before this runs.
  files = [...input.files];
  showFormat();
}
document.body.addEventListener("refused", (event) => {
  event.preventDefault();
  refuse(event.detail.problem);
});

function showFormat() {
  const { help, accept, options } = chosenFormat().dataset;
  document.getElementById("im-format-help").textContent = help;
  input.accept = accept;
  for (const option of page.querySelectorAll("[data-option]")) option.hidden = !options.split(" ").includes(option.dataset.option);
  choose(files);
}

function choose(chosen) {
  files = chosen;
  document.getElementById("im-chosen").textContent = files.length ? files.map(({ name }) => name).join(", ") : chosenFormat().dataset.accept.replaceAll(",", ", ");
  for (const each of page.querySelectorAll("[data-mapping]")) {
    each.hidden = true;
    for (const select of each.querySelectorAll("[data-column]")) {
      select.replaceChildren();
      delete select.dataset.guessed;
    }
  }
  result.replaceChildren();
  checkButton.classList.add("btn-primary");
}

function options() {
  const chosen = {};
  for (const option of page.querySelectorAll("[data-option]:not([hidden])")) {
    const { value } = option.querySelector("select");
    if (value) chosen[option.dataset.option] = value;
  }
  // What was guessed is guessed again, in each of the files: they have other columns.
  const selects = [...(mapping()?.querySelectorAll("[data-column]") ?? [])].filter((select) => select.options.length && select.value !== select.dataset.guessed);
  if (selects.length) chosen.columns = Object.fromEntries(selects.map((select) => [select.dataset.column, select.value || IGNORED]));
  return chosen;
}

async function send(query) {
  const sent = files.length ? await Promise.all(files.map(read)) : [{ name: "pasted text", text: text.value }];
  const answer = await finished(await call("POST", `${page.dataset.api}import/${format.value}/${query}`, { files: sent, options: options() }));
  // A worker counts by action and puts the report apart.
  return answer.report ? { ...answer, ...answer.report, created: answer.counts.create ?? 0, changed: answer.counts.change ?? 0 } : answer;
}

// Spreadsheets write UTF-16 with a byte order mark; all else is UTF-8, or refused.
async function read(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const mark = `${bytes[0]} ${bytes[1]}`;
  const encoding = { "255 254": "utf-16le", "254 255": "utf-16be" }[mark] ?? "utf-8";
  try {
    return { name: file.name, text: new TextDecoder(encoding, { fatal: true }).decode(bytes) };
  } catch {
    throw new Problem(422, { detail: "The text is not UTF-8. Save it as UTF-8.", problems: [{ path: file.name, message: "The text is not UTF-8. Save it as UTF-8." }] });
  }
}

async function check(button) {
  await withSubmitGuard(null, button, async () => {
    const preview = await send("?dry_run=1");
    checkButton.classList.remove("btn-primary");
    showMapping(preview);
    const counts = countsText({ create: preview.created, change: preview.changed });
    const changes = resultCard(`2. What they change: ${counts}`,
      await renderDifferences(preview.differences, page.dataset.names, preview.created + preview.changed), preview.differences.length ? importButton() : null);
    const count = preview.notes.length + preview.more_notes;
    const report = resultCard(count ? `3. What could not be said as it is: ${count}` : "3. Everything could be said", count ? notesTable(preview) : null);
    showResult(result, changes, report);
  });
}

function importButton() {
  const button = h("button", { class: "btn btn-primary", type: "button", "data-busy": "Importing…" }, "Import into the draft");
  button.addEventListener("click", () => withSubmitGuard(null, button, async () => {
    await send("");
    release(text.closest("[data-guard]"));
    location.assign(page.dataset.next);
  }));
  return h("div", { class: "fm-buttons" }, button);
}

function showMapping({ header = [], columns = {} }) {
  const section = mapping();
  if (!section) return;
  section.hidden = !header.length;
  for (const select of section.querySelectorAll("[data-column]")) {
    const chosen = columns[select.dataset.column] ?? "";
    select.replaceChildren(h("option", { value: "" }, "no column"), ...header.map((column) => h("option", { value: column }, column)));
    select.value = chosen;
    select.dataset.guessed ??= chosen;
  }
}

function notesTable({ notes, more_notes: more }) {
  const order = Object.keys(NOTE_KINDS);
  const rows = [...notes].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)).map(({ kind, place, says, why, remedy }) => h("tr", {},
    h("td", {}, h("span", { class: `cw-state ${NOTE_KINDS[kind][1]}` }, NOTE_KINDS[kind][0])),
    h("td", { class: "wrap" }, h("b", {}, says), h("div", { class: "ink-3 mono" }, place)),
    h("td", { class: "wrap" }, why, " ", h("span", { class: "ink-2" }, remedy))));
  return h("div", {}, h("div", { class: "cw-scroll", tabindex: "0", role: "region", "aria-label": "What could not be said" }, h("table", { class: "table cw-table im-notes" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "What became of it"), h("th", { scope: "col" }, "In the files"), h("th", { scope: "col" }, "Why, and what to do"))),
    h("tbody", {}, ...rows))), more ? h("p", { class: "ink-2" }, `and ${more} more`) : null);
}

function refuse(problem) {
  const problems = problem.problems.length ? problem.problems : [{ message: problem.message }];
  const items = problems.map(({ path, message }) => h("li", { class: "cw-note is-bad" }, icon("circle-x"), h("div", {}, message, path ? h("div", { class: "ink-3 mono" }, path) : null)));
  showResult(result, resultCard("2. The files cannot be imported", h("div", { class: "cw-problems", role: "alert", "data-problem": true }, h("ul", {}, ...items)), problem.status === 401 ? signInLink() : null));
}
