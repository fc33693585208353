// The design canvas: wires dragging, connecting, dialogs and the panel to the draft's REST API.
import { startDraftPage } from "./lib/draft_page.js";
import { refresh, select } from "./lib/refresh.js";
import { closeOnEscape, shortcut } from "./lib/shortcuts.js";
import { startObjectForms } from "./forms/object_form.js";
import { ENDS, startConnect } from "./canvas/connect.js";
import { startDrag } from "./canvas/drag.js";
import { board, draw, redrawOnChange, policyAt } from "./canvas/policy_lines.js";
import { startView } from "./canvas/view.js";
import { startZoom } from "./canvas/zoom.js";
import { addInspection, openPolicyDialog, shareEnds, startServiceDialog } from "./canvas/policy_dialog.js";

const FIRST_FIELD = "#cv-side form :is(input:not([type=hidden], [type=radio]), select, textarea)";
const canvas = document.getElementById("cv");
const stage = document.getElementById("cv-stage");
const say = (words) => { document.getElementById("cv-status").textContent = words; };
const under = (x, y, selector) => document.elementFromPoint(x, y)?.closest(selector) ?? null;
const chipOf = (policy) => board().querySelector(`[data-policy="${policy}"] .cv-chip`);

// Return the element that would take the dragged card or product at this point of the window.
function hover(source, x, y) {
  if (source.matches(".cv-product")) {
    const policy = under(x, y, ".cv-chip")?.parentElement.dataset.policy ?? policyAt(x, y);
    return policy ? chipOf(policy) : null;
  }
  const target = under(x, y, ENDS);
  return target === source ? null : target;
}

function join(source, target) {
  if (source.matches(".cv-product")) {
    addInspection(target.parentElement.dataset.policy, source);
    return;
  }
  const ends = shareEnds(source, target);
  if (ends) show("new/shares", ends);
  else openPolicyDialog(source, target);
}

draw();
redrawOnChange(stage);
startView();
startZoom(stage, draw);
startObjectForms();
startDraftPage(canvas, { panel: "cv-side" });
if ("edit" in canvas.dataset) {
  startServiceDialog();
  startDrag({
    stage,
    hover,
    say,
    drop(source, x, y) {
      const target = hover(source, x, y);
      say(target ? "" : "There is no target here. Nothing changed.");
      if (target) join(source, target);
    },
  });
  const connect = startConnect({ stage, drop: join, say });
  shortcut("p", "Start a policy at the focused card", () => connect.pick(document.activeElement?.closest("[data-ref]")));
  for (const [key, word] of [["c", "Add a connector"], ["s", "Add a segment"], ["x", "Add an exchange"], ["h", "Add a share"], ["a", "Add an assertion"], ["n", "Add a group"], ["e", "Central egress"]]) {
    shortcut(key, word, () => document.querySelector(`[data-shortcut="${key}"]`)?.click());
  }
}
shortcut("← ↑ ↓ →", "Go from card to card");
shortcut("Enter", "Open the focused card; end the policy there");
shortcut("Esc", "Cancel a drag or a policy that was started; close the panel");
closeOnEscape(() => document.getElementById("cv-heading"), () => show(""));

// Show an object's panel or the form of a new one, and bring it where the eye is.
async function show(key, more) {
  if (!(await select(key, more)) || !key) return;
  const heading = document.getElementById("cv-heading");
  if (heading?.getBoundingClientRect().bottom > innerHeight * 0.75) heading.scrollIntoView({ block: "center" });
  if (key.startsWith("new/")) document.querySelector(FIRST_FIELD)?.focus();
}

// The palette is a popover on small screens: what is chosen in it closes it, so that the canvas is seen.
document.addEventListener("click", (event) => {
  const palette = document.getElementById("cv-palette");
  if (palette.matches(":popover-open") && event.target.closest("[data-select], [data-product]")) palette.hidePopover();
}, true);

document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-select]");
  if (chosen) show(chosen.dataset.select);
  if (event.target.closest("[href='#draft-problems']")) document.querySelector("#draft-problem-list")?.setAttribute("open", "");
});

document.body.addEventListener("refreshed", draw);
document.body.addEventListener("saved", ({ detail }) => {
  const { source } = detail;
  if (!("deselect" in source.dataset || source.matches("[data-object][data-method=POST]"))) {
    refresh();
    return;
  }
  // The form is done: it closes now, whatever the page still loads.
  source.closest("#cv-side").replaceChildren();
  select("");
});
