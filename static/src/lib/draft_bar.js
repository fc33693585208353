// The draft bar: undo, redo, discard, and Review, which makes the plan and goes to it.
import { failedPlan, goToConflicts, post, remove } from "./api.js";
import { confirm } from "./behaviours.js";
import { tenant } from "./dom.js";
import { leave } from "./guard.js";
import { toast, toastAfterLoad, toastProblem } from "./toast.js";

export function startDraftBar() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-draft-do]");
    if (!button || button.disabled) return;
    const draft = button.closest("[data-draft]").dataset.draft;
    button.disabled = true;
    try {
      await act(button.dataset.draftDo, draft, button.dataset);
    } catch (problem) {
      if (goToConflicts(problem)) return;
      // A page that shows the draft shows why it was refused where it belongs, and cancels this.
      const refused = new CustomEvent("draft:refused", { detail: { problem }, cancelable: true });
      if (document.body.dispatchEvent(refused)) toastProblem(problem);
    }
    button.disabled = false;
  });
}

async function act(what, draft, { name, lost, etag }) {
  if (what === "plan") {
    if (!(await leave())) return;
    const id = await post(`drafts/${draft}/plan/`).then((plan) => plan.id, failedPlan);
    location.assign(`/t/${tenant}/plans/${id}/`);
    return;
  }
  if (what === "discard") {
    const detail = `This discards ${lost}. It can be restored for 30 days under Design.`;
    if (!(await confirm(`Discard the draft ${name}?`, "Discard", { detail }))) return;
    await remove(`drafts/${draft}/`, { etag });
    location.assign(`/t/${tenant}/design/`);
    return;
  }
  const words = await moveDraft(draft, what);
  // A page that draws the draft redraws itself and cancels this; any other is simply loaded again.
  const event = new CustomEvent("draft:moved", { detail: { draft }, cancelable: true });
  if (document.body.dispatchEvent(event)) toastAfterLoad("ok", words);
  else toast("ok", words);
}

/** Undo or redo the next edit of a draft. Resolves to what was undone or redone, in words. */
export async function moveDraft(draft, what) {
  const { undo_summary: done, redo_summary: undone } = await post(`drafts/${draft}/${what}/`);
  return what === "undo" ? `Undone: ${undone}` : `Redone: ${done}`;
}
