// What every page of a draft does: undo and redo by key, refresh when the draft changed, show why a plan was refused.
import { moveDraft } from "./draft_bar.js";
import { refresh } from "./refresh.js";
import { shortcut } from "./shortcuts.js";
import { showRefusal } from "./plan_refusal.js";
import { toast, toastProblem } from "./toast.js";

/** `page` carries data-draft; `panel` is left alone when somebody else changed the draft. */
export function startDraftPage(page, { panel }) {
  document.body.addEventListener("draft:moved", (event) => {
    event.preventDefault();
    refresh();
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
  const step = (action) => async () => {
    try {
      toast("ok", await moveDraft(page.dataset.draft, action));
    } catch (problem) {
      toastProblem(problem);
    }
    refresh();
  };
  shortcut("Ctrl Z", "Undo the last edit", step("undo"));
  shortcut("Ctrl Shift Z", "Redo the edit undone last", step("redo"));
  shortcut("Ctrl S", "Save the form to the draft");
}
