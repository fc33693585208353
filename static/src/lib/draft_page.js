// What every page of a draft does: undo and redo by key, refresh when the draft changed, show why a plan was refused.
import { post } from "./api.js";
import { refresh } from "./refresh.js";
import { shortcut } from "./shortcuts.js";
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
  const step = (action, word) => async () => {
    try {
      await post(`${page.dataset.api}${action}/`);
      say(word);
    } catch (problem) {
      toastProblem(problem);
    }
    refresh();
  };
  shortcut("Ctrl Z", "Undo the last edit", step("undo", "Undone."));
  shortcut("Ctrl Shift Z", "Redo the edit undone last", step("redo", "Redone."));
  shortcut("Ctrl S", "Save the form to the draft");
}
