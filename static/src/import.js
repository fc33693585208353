// Import of a table: a dry run shows what it would change or which cells are wrong; then it is imported as one edit.
import { call } from "./lib/api.js";
import { renderDifferences, countsText } from "./lib/differences.js";
import { h, icon } from "./lib/dom.js";
import { release } from "./lib/guard.js";
import { resultCard, showResult } from "./lib/result_card.js";
import { signInLink } from "./lib/sign_in.js";
import { withSubmitGuard } from "./forms/submit.js";

const page = document.getElementById("im");
const text = document.getElementById("im-text");
const result = document.getElementById("im-result");
const drop = document.getElementById("im-drop");
const address = `${page.dataset.api}import/${page.dataset.kind}/`;

document.getElementById("im-file")?.addEventListener("change", ({ target }) => load(target.files[0]));
for (const name of ["dragover", "dragleave", "drop"]) {
  drop?.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("is-target", name === "dragover");
    if (name === "drop") load(event.dataTransfer.files[0]);
  });
}
document.getElementById("im-check")?.addEventListener("click", ({ currentTarget }) => check(currentTarget));
text?.addEventListener("input", () => {
  result.replaceChildren();
  document.getElementById("im-check").classList.add("btn-primary");
});
document.body.addEventListener("refused", (event) => {
  event.preventDefault();
  refuse(event.detail.problem);
});

async function load(file) {
  if (!file) return;
  text.value = await file.text();
  check(document.getElementById("im-check"));
}

const send = (query) => call("POST", `${address}${query}`, text.value, { type: "text/csv" }).then(({ data }) => data);

async function check(button) {
  await withSubmitGuard(null, button, async () => {
    const preview = await send("?dry_run=1");
    button.classList.remove("btn-primary");
    const importButton = h("button", { class: "btn btn-primary", type: "button", "data-busy": "Importing…" }, `Import ${preview.rows} row${preview.rows === 1 ? "" : "s"}`);
    importButton.addEventListener("click", () => withSubmitGuard(null, importButton, async () => {
      await send("");
      release(text.closest("[data-guard]"));
      location.assign(page.dataset.next);
    }));
    showResult(result, resultCard(`2. What it changes: ${countsText({ create: preview.created, change: preview.changed })}${preview.unchanged ? `, ${preview.unchanged} unchanged` : ""}`,
      await renderDifferences(preview.differences, page.dataset.names, preview.created + preview.changed), preview.differences.length ? h("div", { class: "fm-buttons" }, importButton) : null));
  });
}

function refuse(problem) {
  const rows = problem.problems.map(({ path, message }) => {
    const [, row, column] = /^rows\[(\d+)\]\.?(.*)$/.exec(path ?? "") ?? [];
    const words = message.replace(/^Row \d+, [^:]+: /, "");
    return h("tr", {}, h("td", { class: "num" }, row ?? ""), h("td", { class: "mono" }, column ?? path ?? ""), h("td", { class: "wrap" }, words));
  });
  showResult(result, resultCard(rows.length ? `2. ${rows.length} cell${rows.length === 1 ? "" : "s"} to correct; nothing was imported` : "2. The table cannot be read",
    rows.length
      ? h("div", { class: "cw-scroll", tabindex: "0", role: "region", "aria-label": "Wrong cells" }, h("table", { class: "table cw-table im-wrong" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "num" }, "Row"), h("th", { scope: "col" }, "Column"), h("th", { scope: "col" }, "What is wrong"))), h("tbody", {}, ...rows)))
      : h("div", { class: "cw-note is-bad", "data-problem": true }, icon("circle-x"), h("div", {}, problem.message, " ", problem.status === 401 ? signInLink() : null))));
}
