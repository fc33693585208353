// The rule list of a policy: add, remove, move; services only where the action is inspect. Names are paths (forms/paths.js).
import { renumber } from "../forms/paths.js";

export function startRules() {
  document.addEventListener("click", (event) => {
    const add = event.target.closest("[data-add-rule]");
    if (add) {
      const form = add.form;
      form.querySelector("[data-rules]").append(form.querySelector("template").content.cloneNode(true));
      number(form);
      form.querySelector("[data-rule]:last-child input").focus();
      return;
    }
    const row = event.target.closest("[data-rule]");
    const move = event.target.closest("[data-move]");
    if (row && event.target.closest("[data-remove]")) {
      const { form } = row.querySelector("input");
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      number(form);
      (next?.querySelector("input") ?? form.querySelector("[data-add-rule]")).focus();
    } else if (row && move) {
      const other = move.dataset.move === "1" ? row.nextElementSibling : row.previousElementSibling;
      if (!other) return;
      if (move.dataset.move === "1") other.after(row);
      else other.before(row);
      number(row.querySelector("input").form);
      move.focus();
    }
  });
  document.addEventListener("change", ({ target }) => {
    if (!/^rules\[\d+\]\.action$/.test(target.name ?? "")) return;
    const fieldset = (target.closest("[data-rule]") ?? target.form).querySelector("[data-services]");
    const inspects = (target.type === "radio" ? target.form.querySelector(`[name="${target.name}"]:checked`) : target).value === "inspect";
    fieldset.hidden = !inspects;
    fieldset.disabled = !inspects;
  });
}

function number(form) {
  form.querySelectorAll("[data-rule]").forEach((row, index) => {
    row.querySelector("[data-number]").textContent = index + 1;
    row.querySelectorAll("[name]").forEach((field) => { field.name = renumber(field.name, index); });
  });
}
