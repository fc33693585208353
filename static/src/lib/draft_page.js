// What every page of a draft does: undo and redo by key, refresh when the draft changed, show why a plan was refused.
import { post } from "./api.js";
import { refresh } from "./refresh.js";
import { showRefusal } from "./plan_refusal.js";
import { toastProblem } from "./toast.js";

/** `page` carries data-api, data-draft and data-drafts; `panel` is left alone when somebody else changed the draft. */
export function startDraftPage(page, { panel, say }) {
  document.body.addEventListener("draft:moved", (event) => {
    event.preventDefault();
    if (event.detail.what === "discard") location.assign(page.dataset.drafts);
    else refresh();
  });
  document.body.addEventListener("draft:refused", (event) => {
    const place = document.getElementById("draft-problems");
    if (!place) return;
    event.preventDefault();
    showRefusal(place, event.detail.problem);
  });
  document.body.addEventListener("changed:draft", ({ detail }) => {
    if (detail.id === page.dataset.draft) refresh({ keep: [panel] });
  });
  if (!("edit" in page.dataset)) return;
  document.addEventListener("keydown", async (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    if (event.target.closest("input, textarea, select, dialog")) return;
    event.preventDefault();
    const what = event.shiftKey ? "redo" : "undo";
    try {
      await post(`${page.dataset.api}${what}/`);
      say(what === "undo" ? "Undone." : "Redone.");
    } catch (problem) {
      toastProblem(problem);
    }
    refresh();
  });
}
