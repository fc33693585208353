// The result of a dry run: each object that would be added, changed or removed, with its fields before and after.
import { h, icon } from "./dom.js";
import { kindName } from "./kind_names.js";

const MARKS = {
  create: ["is-ok", "Add", () => icon("plus")],
  remove: ["is-bad", "Remove", () => icon("minus")],
  change: ["is-warn", "Change", () => icon("pencil")],
};
const UID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const MAX_SHOWN = 200;

/** Render `differences` of the API as a list; `all` is their full number. Names replace ids; unknown ones come from `namesUrl`. */
export async function renderDifferences(differences, namesUrl, all = differences.length) {
  if (!differences.length) return h("p", { class: "ink-2" }, "Nothing would change: the draft is like this already.");
  const names = await loadNames(differences, namesUrl);
  const shown = differences.slice(0, MAX_SHOWN).map((difference) => differenceItem(difference, names));
  const more = all - shown.length;
  return h("div", {}, h("ul", { class: "rv-list df-list" }, ...shown), more > 0 ? h("p", { class: "ink-2" }, `and ${more} more`) : null);
}

export function actionCountsText(differences) {
  return countsText(Object.fromEntries(Object.keys(MARKS).map((action) => [action, differences.filter((difference) => difference.action === action).length])));
}

export function countsText({ create = 0, change = 0, remove = 0 }) {
  return [[create, "to add"], [change, "to change"], [remove, "to remove"]]
    .filter(([count]) => count).map(([count, word]) => `${count} ${word}`).join(", ") || "nothing to do";
}

async function loadNames(differences, namesUrl) {
  const names = new Map(differences.map(({ id, name }) => [id, name]));
  const unknown = [...new Set(JSON.stringify(differences).match(UID))].filter((id) => !names.has(id)).slice(0, 400);
  if (unknown.length) {
    const query = new URLSearchParams(unknown.map((id) => ["id", id]));
    const answer = await fetch(`${namesUrl}?${query}`, { credentials: "same-origin" }).catch(() => null);
    if (answer?.ok) Object.entries(await answer.json()).forEach(([id, name]) => names.set(id, name));
  }
  return names;
}

function differenceItem({ action, kind, name, fields }, names) {
  const [tone, word, mark] = MARKS[action];
  const rows = fields.map(({ path, before, after }) => h("tr", {}, h("th", { scope: "row" }, path),
    h("td", { class: "mono cw-del" }, valueText(before, names)), h("td", { class: "mono cw-add" }, valueText(after, names))));
  return h("li", {}, h("details", {},
    h("summary", {}, h("span", { class: `cw-op ${tone}` }, mark()), h("span", { class: "rv-op" }, word), h("b", { class: "clip" }, name), h("span", { class: "ink-3 clip" }, kindName(kind))),
    h("div", { class: "cw-scroll", tabindex: "0", role: "region", "aria-label": `Fields of ${name}` }, h("table", { class: "rv-fields" },
      h("thead", {}, h("tr", {}, ...["Field", "Before", "After"].map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, ...rows)))));
}

function valueText(value, names) {
  if (value === null || value === undefined) return h("span", { class: "ink-3" }, "nothing");
  const plain = Array.isArray(value) && value.every((item) => typeof item !== "object");
  return (plain ? value.join(", ") || "none" : typeof value === "string" ? value : JSON.stringify(value)).replace(UID, (id) => names.get(id) ?? id);
}
