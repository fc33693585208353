// Lists of objects in a form: a row each, added from the list's template, removed, moved. Names are paths (paths.js).
import { renumber } from "./paths.js";

export function startRows() {
  document.addEventListener("click", (event) => {
    const add = event.target.closest("[data-add-row]");
    const row = event.target.closest("[data-row]");
    if (add) addRow(add.closest("[data-rows]"));
    else if (row && event.target.closest("[data-remove-row]")) removeRow(row);
    else if (row && event.target.closest("[data-move]")) moveRow(row, event.target.closest("[data-move]"));
  });
  document.body.addEventListener("refreshed", () => document.querySelectorAll("[data-rows]").forEach(updateAddButton));
  document.querySelectorAll("[data-rows]").forEach(updateAddButton);
}

const rowsOf = (list) => [...list.querySelector(".fm-rowlist").children];

function addRow(list) {
  list.querySelector(".fm-rowlist").append(list.querySelector(":scope > template").content.cloneNode(true));
  renumberRows(list);
  const row = rowsOf(list).at(-1);
  row.dispatchEvent(new CustomEvent("row", { bubbles: true }));
  row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  row.scrollIntoView({ block: "nearest" });
}

function removeRow(row) {
  const list = row.closest("[data-rows]");
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  renumberRows(list);
  (next?.querySelector("input:not([type=hidden]), select") ?? list.querySelector("[data-add-row]")).focus();
  list.dispatchEvent(new Event("input", { bubbles: true }));
}

function moveRow(row, button) {
  const down = button.dataset.move === "1";
  const other = down ? row.nextElementSibling : row.previousElementSibling;
  if (!other) return;
  if (down) other.after(row);
  else other.before(row);
  renumberRows(row.closest("[data-rows]"));
  button.focus();
  row.dispatchEvent(new Event("input", { bubbles: true }));
}

function renumberRows(list) {
  rowsOf(list).forEach((row, index) => {
    row.querySelector("[data-number]").textContent = index + 1;
    for (const attribute of ["name", "id", "for", "aria-controls", "data-picked", "data-when", "data-nullable"]) {
      row.querySelectorAll(`[${attribute}]`).forEach((node) => node.setAttribute(attribute, renumber(node.getAttribute(attribute), index)));
    }
  });
  updateAddButton(list);
}

function updateAddButton(list) {
  const most = Number(list.dataset.most ?? 0);
  list.querySelector("[data-add-row]").hidden = most > 0 && rowsOf(list).length >= most;
}
