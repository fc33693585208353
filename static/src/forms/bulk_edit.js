// What is done with the selected objects of a list: one field changed, all removed, or exported. One request, one edit.
import { post } from "../lib/api.js";
import { confirm } from "../lib/behaviours.js";
import { startSelection } from "../lib/selection.js";
import { toast } from "../lib/toast.js";
import { showConditionalFields } from "./conditional_fields.js";
import { read } from "./form_data.js";
import { withSubmitGuard } from "./submit.js";

/** `page` carries data-api, data-kind, data-word and data-words; `onSaved` is called when the draft has changed. */
export function startBulkEdits(page, onSaved) {
  const bar = document.getElementById("ob-selection");
  const dialog = document.getElementById("bulk-edit");
  const list = () => document.getElementById("ob-list");
  const { api, kind, word, words } = page.dataset;
  const counted = (count) => `${count.toLocaleString("en-GB")} ${count === 1 ? word : words}`;

  const selection = startSelection(list, ({ size, total, isAll, ids }) => {
    bar.hidden = size === 0;
    bar.querySelector("[data-count]").textContent = size ? `${counted(size)} selected` : "";
    if (dialog) dialog.querySelector("[data-count]").textContent = counted(size);
    const matching = bar.querySelector("[data-select-matching]");
    matching.hidden = isAll || ids.size >= total;
    matching.textContent = `Select all ${total.toLocaleString("en-GB")}`;
    bar.querySelectorAll("[data-export]").forEach((link) => { link.href = exported(link.dataset.export); });
  });

  const filters = () => {
    const { search, ordering, changed } = list().dataset;
    return { search, ordering, changed: changed !== undefined };
  };

  function exported(format) {
    const { search, ordering, changed } = filters();
    const asked = selection.isAll ? { search, ordering, ...(changed ? { changed: 1 } : {}) } : { ids: [...selection.ids].join(",") };
    return `${api}${kind}/?${new URLSearchParams({ format, ...asked })}`;
  }

  /** Change the selected objects, as the list showed them: a draft that moved meanwhile is refused. */
  async function edit(body, done) {
    const { search, changed } = filters();
    const which = selection.isAll ? { matching: { search, changed } } : { ids: [...selection.ids] };
    const { count } = await post(`${api}${kind}/bulk/`, { ...which, ...body }, { etag: list().dataset.etag });
    toast("ok", `${counted(count)} ${done}. Undo takes it back in one step.`);
    onSaved();
  }

  bar.addEventListener("click", async ({ target }) => {
    if (target.closest("[data-select-matching]")) selection.selectAll();
    if (target.closest("[data-select-none]")) selection.clear();
    const button = target.closest("[data-bulk-remove]");
    if (!button || !(await confirm(`Delete ${counted(selection.size)}?`, "Delete"))) return;
    await withSubmitGuard(null, button, () => edit({ action: "remove" }, "removed"));
  });
  bar.querySelector("[data-open]")?.addEventListener("click", () => showConditionalFields(dialog.querySelector("form")));
  dialog?.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    const { field, values, actions } = read(form);
    const value = { true: true, false: false }[values[field]] ?? values[field];
    withSubmitGuard(form, form.querySelector("[type=submit]"), async () => {
      try {
        await edit({ action: actions?.[field] ?? "set", field, value }, "changed");
      } catch (problem) {
        for (const each of problem.problems ?? []) each.path = each.path?.replace(/^value/, `values.${field}`);
        throw problem;
      }
      dialog.close();
    });
  });
}
