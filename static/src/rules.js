// The rules of a draft: a policy's form opens in its place; rules move by dragging, Alt with an arrow key, or their menu.
import { call, get, patch, post, remove } from "./lib/api.js";
import { startObjectForms } from "./forms/object_form.js";
import { startDraftPage } from "./lib/draft_page.js";
import { refresh, select } from "./lib/refresh.js";
import { shortcut } from "./lib/shortcuts.js";
import { toastProblem } from "./lib/toast.js";

const page = document.getElementById("rl");
const say = (words) => { document.getElementById("cv-status").textContent = words; };
const policies = `${page.dataset.api}policies/`;
const rows = () => [...document.querySelectorAll(".rl-table [data-policy]")];

startObjectForms();
startDraftPage(page, { panel: "rl-list" });
shortcut("n", "Add a policy", () => document.querySelector("[data-new]")?.click());

document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-select]");
  if (chosen) {
    event.preventDefault();
    closeMenu();
    show(chosen.dataset.select);
    return;
  }
  const button = event.target.closest("[data-rule-do]");
  if (button) act(button.dataset.ruleDo, button.closest("[data-policy]"));
});

document.addEventListener("keydown", (event) => {
  const row = event.target.matches?.(".rl-table [data-policy]") ? event.target : null;
  if (event.key === "Escape" && document.querySelector(".rl-edit") && !document.querySelector("dialog[open], :popover-open")) show("");
  if (!row || !("edit" in page.dataset)) return;
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (step && event.altKey) act(step < 0 ? "up" : "down", row);
  else if (step) rows()[rows().indexOf(row) + step]?.focus();
  else if (event.key === "Enter") show(row.dataset.policy);
  else return;
  event.preventDefault();
});

document.body.addEventListener("saved", ({ detail: { source } }) => {
  say("deselect" in source.dataset ? "Removed in this draft." : "Saved in this draft.");
  show("");
});

/** A part with an open menu is not replaced. */
const closeMenu = () => document.querySelector(":popover-open")?.hidePopover();

async function show(key) {
  await select(key);
  if (key) document.querySelector("[data-object] input:not([type=hidden])")?.focus();
}

async function act(what, row) {
  closeMenu();
  const { policy, policyName } = row.dataset;
  const index = Number(row.dataset.rule);
  try {
    if (what === "clone") say(`Added ${(await post(`${policies}${policy}/clone/`)).name}.`);
    else if (what === "enable" || what === "disable") await patch(`${policies}${policy}/`, { enabled: what === "enable" });
    else if (what === "remove") await removeRule(policy, index);
    else await move(row, what === "up" ? -1 : 1);
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    toastProblem(problem);
  }
  await refresh();
  if (what === "enable" || what === "disable") say(`${policyName} is ${what}d in this draft.`);
}

async function removeRule(policy, index) {
  const { rules } = await get(`${policies}${policy}/`);
  if (rules.length === 1) await remove(`${policies}${policy}/`);
  else await changeRules(policy, (list) => list.toSpliced(index, 1));
}

/** Put a rule one place up or down inside its policy; at the edge of it the policy moves past its neighbour. */
async function move(row, step) {
  const all = rows();
  const { policy } = row.dataset;
  const next = all[all.indexOf(row) + step];
  if (!next) return;
  if (next.dataset.policy === policy) await moveRule(policy, Number(row.dataset.rule), Number(next.dataset.rule));
  else if (step < 0) await movePolicy(row, next.dataset.policy);
  else await movePolicy(row, all.slice(all.indexOf(next)).find(({ dataset }) => dataset.policy !== next.dataset.policy)?.dataset.policy);
}

async function movePolicy({ dataset }, before) {
  await post(`${policies}${dataset.policy}/move/`, { before: before ?? null });
  say(`Policy ${dataset.policyName} moved.`);
}

async function moveRule(policy, from, to) {
  await changeRules(policy, (list) => list.toSpliced(from, 1).toSpliced(to, 0, list[from]));
  say(`Moved to place ${to + 1} of its policy.`);
}

/** Change the rules as they are now: whoever changed them since is not overwritten. */
async function changeRules(policy, change) {
  const url = `${policies}${policy}/`;
  const { data, etag } = await call("GET", url);
  await patch(url, { rules: change(data.rules) }, { etag });
}

let dragged = null;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".rl-table [data-policy]") ?? null;
  if (dragged) event.dataTransfer.effectAllowed = "move";
});
document.addEventListener("dragover", (event) => {
  const row = event.target.closest?.(".rl-table [data-policy]");
  if (!dragged || !row) return;
  event.preventDefault();
  rows().forEach((each) => each.classList.toggle("is-drop", each === row && row !== dragged));
});
document.addEventListener("dragend", () => rows().forEach((row) => row.classList.remove("is-drop")));
document.addEventListener("drop", async (event) => {
  const row = event.target.closest?.(".rl-table [data-policy]");
  const moved = dragged;
  dragged = null;
  if (!row || !moved || row === moved) return;
  event.preventDefault();
  try {
    if (row.dataset.policy === moved.dataset.policy) await moveRule(moved.dataset.policy, Number(moved.dataset.rule), Number(row.dataset.rule));
    else await movePolicy(moved, row.dataset.policy);
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    toastProblem(problem);
  }
  await refresh();
});
