// A table is tried first: what it would change, or which cells are wrong; then it is imported as one edit.
import { call } from "./lib/api.js";
import { drawn, countsText } from "./lib/differences.js";
import { h, icon } from "./lib/dom.js";
import { guard } from "./forms/submit.js";

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
  await guard(null, button, async () => {
    const told = await send("?dry_run=1");
    button.classList.remove("btn-primary");
    const go = h("button", { class: "btn btn-primary", type: "button", "data-busy": "Importing…" }, `Import ${told.rows} row${told.rows === 1 ? "" : "s"}`);
    go.addEventListener("click", () => guard(null, go, async () => {
      await send("");
      location.assign(page.dataset.next);
    }));
    card(`2. What it changes: ${countsText({ create: told.created, change: told.changed })}${told.unchanged ? `, ${told.unchanged} as they are` : ""}`,
      await drawn(told.differences, page.dataset.names, told.created + told.changed), told.differences.length ? h("div", { class: "fm-buttons" }, go) : null);
  });
}

function refuse(problem) {
  const rows = problem.problems.map(({ path, message }) => {
    const [, row, column] = /^rows\[(\d+)\]\.?(.*)$/.exec(path ?? "") ?? [];
    const words = message.replace(/^Row \d+, [^:]+: /, "");
    return h("tr", {}, h("td", { class: "num" }, row ?? ""), h("td", { class: "mono" }, column ?? path ?? ""), h("td", { class: "wrap" }, words));
  });
  card(rows.length ? `2. ${rows.length} cell${rows.length === 1 ? "" : "s"} to correct; nothing was imported` : "2. It cannot be read",
    rows.length
      ? h("div", { class: "cw-scroll", tabindex: "0", role: "region", "aria-label": "Wrong cells" }, h("table", { class: "table cw-table im-wrong" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "num" }, "Row"), h("th", { scope: "col" }, "Column"), h("th", { scope: "col" }, "What is wrong"))), h("tbody", {}, ...rows)))
      : h("div", { class: "cw-note is-bad" }, icon("circle-x"), h("div", {}, problem.message)));
}

function card(title, ...children) {
  const heading = h("h2", { tabindex: "-1" }, title);
  result.replaceChildren(h("section", { class: "card" }, h("div", { class: "card-header" }, heading), h("div", { class: "card-body" }, ...children)));
  heading.focus();
}
