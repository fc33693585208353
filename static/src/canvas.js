// The design canvas: wires dragging, connecting, dialogs and the panel to the draft's REST API.
import { post } from "./lib/api.js";
import { shortcut } from "./lib/shortcuts.js";
import { toastProblem } from "./lib/toast.js";
import { startForms } from "./forms/submit.js";
import { startConnect } from "./canvas/connect.js";
import { startDrag } from "./canvas/drag.js";
import { board, draw, keepDrawn, policyAt } from "./canvas/lines.js";
import { refresh, select } from "./canvas/live.js";
import { showRefusal } from "./canvas/refusal.js";
import { askPolicy, inspect, startServiceDialog } from "./canvas/policy.js";
import { startRules } from "./canvas/rules.js";

const canvas = document.getElementById("cv");
const stage = document.getElementById("cv-stage");
const { api } = canvas.dataset;
const say = (words) => { document.getElementById("cv-status").textContent = words; };
const under = (x, y, selector) => document.elementFromPoint(x, y)?.closest(selector) ?? null;
const chipOf = (policy) => board().querySelector(`[data-policy="${policy}"] .cv-chip`);

// What would take the thing held at this point of the window.
function hover(source, x, y) {
  if (source.matches(".cv-prod")) {
    const policy = under(x, y, ".cv-chip")?.parentElement.dataset.policy ?? policyAt(x, y);
    return policy ? chipOf(policy) : null;
  }
  const target = under(x, y, ".cv-card, .cv-lane > header");
  return target === source ? null : target;
}

function join(source, target) {
  if (source.matches(".cv-prod")) inspect(target.parentElement.dataset.policy, source);
  else askPolicy(source, target);
}

keepDrawn(stage);
startForms();
startRules();
if ("edit" in canvas.dataset) {
  startServiceDialog();
  startDrag({
    stage,
    hover,
    say,
    drop(source, x, y) {
      const target = hover(source, x, y);
      say(target ? "" : "Dropped on nothing. Nothing changed.");
      if (target) join(source, target);
    },
  });
  const connect = startConnect({ stage, drop: join, say });
  shortcut("p", "Start a policy at the focused card", () => connect.pick(document.activeElement?.closest(".cv-card")));
  for (const [key, word] of [["c", "Add a connector"], ["s", "Add a segment"], ["x", "Add an exchange"], ["a", "Add an assertion"], ["n", "Add a group"]]) {
    shortcut(key, word, () => document.querySelector(`[data-shortcut="${key}"]`)?.click());
  }
  document.addEventListener("keydown", undo);
}

document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-select]");
  if (chosen) select(chosen.dataset.select);
});

document.body.addEventListener("drawn", draw);
document.body.addEventListener("saved", ({ detail }) => {
  const { source } = detail;
  if ("deselect" in source.dataset) select("");
  else refresh();
});
document.body.addEventListener("draft:moved", (event) => {
  if (event.detail.what === "discard") {
    event.preventDefault();
    location.assign(canvas.dataset.drafts);
    return;
  }
  event.preventDefault();
  refresh();
});
document.body.addEventListener("draft:refused", (event) => {
  event.preventDefault();
  showRefusal(document.getElementById("draft-problems"), event.detail.problem);
});
document.body.addEventListener("changed:draft", ({ detail }) => {
  if (detail.id === canvas.dataset.draft) refresh({ keepSide: true });
});

async function undo(event) {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
  if (event.target.closest("input, textarea, select, dialog")) return;
  event.preventDefault();
  const what = event.shiftKey ? "redo" : "undo";
  try {
    await post(`${api}${what}/`);
    say(what === "undo" ? "Undone." : "Done again.");
  } catch (problem) {
    toastProblem(problem);
  }
  refresh();
}
