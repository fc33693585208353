// The draft bar: undo, redo, discard, and Review, which makes the plan and goes to it.
import { failedPlan, goToConflicts, post, remove } from "./api.js";
import { confirm } from "./behaviours.js";
import { tenant } from "./dom.js";
import { toastProblem } from "./toast.js";

export function startDraftBar() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-draft-do]");
    if (!button || button.disabled) return;
    const draft = button.closest("[data-draft]").dataset.draft;
    button.disabled = true;
    try {
      await act(button.dataset.draftDo, draft, button.dataset.name);
    } catch (problem) {
      if (goToConflicts(problem)) return;
      // A page that shows the draft shows why it was refused where it belongs, and cancels this.
      const refused = new CustomEvent("draft:refused", { detail: { problem }, cancelable: true });
      if (document.body.dispatchEvent(refused)) toastProblem(problem);
    }
    button.disabled = false;
  });
}

async function act(what, draft, name) {
  if (what === "plan") {
    const id = await post(`drafts/${draft}/plan/`).then((plan) => plan.id, failedPlan);
    location.assign(`/t/${tenant}/plans/${id}/`);
    return;
  }
  if (what === "discard") {
    if (!(await confirm(`Discard the draft ${name} and its edits?`, "Discard"))) return;
    await remove(`drafts/${draft}/`);
  } else {
    await post(`drafts/${draft}/${what}/`);
  }
  // A page that draws the draft redraws itself and cancels this; any other is simply loaded again.
  const event = new CustomEvent("draft:moved", { detail: { what, draft }, cancelable: true });
  if (document.body.dispatchEvent(event)) location.reload();
}
