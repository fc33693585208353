// The rules of a draft: a policy's form opens in its place; rules move by dragging, Alt with an arrow key, or their menu.
// A policy that comes under the heading of another tier takes that tier.
import { call, get, patch, post, remove } from "./lib/api.js";
import { startObjectForms } from "./forms/object_form.js";
import { startDraftPage } from "./lib/draft_page.js";
import { refresh, select } from "./lib/refresh.js";
import { startSelection } from "./lib/selection.js";
import { closeOnEscape, shortcut } from "./lib/shortcuts.js";
import { toastProblem } from "./lib/toast.js";

const page = document.getElementById("rl");
const say = (words) => { document.getElementById("cv-status").textContent = words; };
const policies = `${page.dataset.api}policies/`;
const rows = () => [...document.querySelectorAll(".rl-table [data-policy]")];

startObjectForms();
startDraftPage(page, { panel: "rl-list" });
closeOnEscape(() => document.querySelector(".rl-edit"), () => show(""));
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
  if (button) act(button.dataset.ruleDo, button.closest("[data-policy]"), button.dataset);
});

document.addEventListener("keydown", (event) => {
  const row = event.target.matches?.(".rl-table [data-policy]") ? event.target : null;
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

/** `chosen`: the tier or the mode that a menu item names. */
async function act(what, row, chosen = {}) {
  closeMenu();
  const { policy, policyName } = row.dataset;
  const index = Number(row.dataset.rule);
  try {
    if (what === "clone") say(`Added ${(await post(`${policies}${policy}/clone/`)).name}.`);
    else if (what === "enable" || what === "disable") await patch(`${policies}${policy}/`, { enabled: what === "enable" });
    else if (what === "remove") await removeRule(policy, index);
    else if (what === "mode") await changeRules(policy, (list) => list.with(index, { ...list[index], mode: chosen.mode }));
    else if (what === "tier") await movePolicy(row, { tier: chosen.tier });
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
  const { following, followingTier } = document.querySelector(".rl-table").dataset;
  const all = rows().map(({ dataset }) => dataset);
  if (following) all.push({ policy: following, tier: followingTier });
  const at = all.indexOf(row.dataset);
  const next = all[at + step];
  if (next?.policy === row.dataset.policy) await moveRule(next.policy, Number(row.dataset.rule), Number(next.rule));
  else if (next?.tier !== row.dataset.tier) await moveToTier(row, step, next);
  else if (step < 0) await movePolicy(row, { before: next.policy });
  else {
    const { tier } = next;
    const beyond = all.slice(at + 1).find(({ policy }) => policy !== next.policy);
    await movePolicy(row, beyond?.tier === tier ? { before: beyond.policy } : { tier });
  }
}

/** Move a policy out of its tier, where nothing of the tier is above or below it that the page does not show. */
async function moveToTier(row, step, next) {
  const tiers = document.querySelector(".rl-table").dataset.tiers.split(" ");
  const tier = tiers[tiers.indexOf(row.dataset.tier) + step];
  const isAtEdge = step > 0 || "start" in row.parentElement.querySelector(".rl-tier").dataset;
  if (tier && isAtEdge) await movePolicy(row, step > 0 && next?.tier === tier ? { before: next.policy } : { tier });
}

/** `where`: before which policy, whose tier it takes, or the tier that it goes last in. */
async function movePolicy({ dataset }, where) {
  const { tier } = await post(`${policies}${dataset.policy}/move/`, where);
  say(tier === dataset.tier ? `Policy ${dataset.policyName} moved.` : `Policy ${dataset.policyName} is ${tier} now.`);
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

const bar = document.getElementById("rl-selection");
if (bar) {
  const selection = startSelection(() => document.getElementById("rl-list"), ({ size }) => {
    bar.hidden = size === 0;
    bar.querySelector("[data-count]").textContent = `${size} rule${size === 1 ? "" : "s"} selected`;
  });
  bar.addEventListener("click", async ({ target }) => {
    if (target.closest("[data-select-none]")) selection.clear();
    const mode = target.closest("[data-mode]")?.dataset.mode;
    if (!mode) return;
    try {
      await setMode([...selection.ids], mode);
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      toastProblem(problem);
    }
    await refresh();
    say(`${selection.size} rules: ${mode}.`);
  });
}

/** Set the mode of rules (`policy/index`) as one edit; a draft that moved since the page showed it is refused. */
async function setMode(ids, mode) {
  const { etag } = document.getElementById("rl-list").dataset;
  const indexes = Map.groupBy(ids.map((id) => id.split("/")), ([policy]) => policy);
  const edits = [...indexes].map(async ([policy, pairs]) => {
    const chosen = new Set(pairs.map(([, index]) => Number(index)));
    const { rules } = await get(`${policies}${policy}/`);
    const body = { rules: rules.map((rule, index) => (chosen.has(index) ? { ...rule, mode } : rule)) };
    return { action: "change", kind: "policies", id: policy, body };
  });
  await post(`${page.dataset.api}edits/`, { edits: await Promise.all(edits) }, { etag });
}

let dragged = null;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".rl-table [data-policy]") ?? null;
  if (dragged) event.dataTransfer.effectAllowed = "move";
});
/** The row that a drop goes before: a heading stands for the first under it. */
const rowAt = ({ target }) => target.closest?.(".rl-tier")?.nextElementSibling ?? target.closest?.(".rl-table [data-policy]");
document.addEventListener("dragover", (event) => {
  const row = rowAt(event);
  if (!dragged || !row) return;
  event.preventDefault();
  rows().forEach((each) => each.classList.toggle("is-drop", each === row && row !== dragged));
});
document.addEventListener("dragend", () => rows().forEach((row) => row.classList.remove("is-drop")));
document.addEventListener("drop", async (event) => {
  const row = rowAt(event);
  const moved = dragged;
  dragged = null;
  if (!row || !moved || row === moved) return;
  event.preventDefault();
  try {
    if (row.dataset.policy === moved.dataset.policy) await moveRule(moved.dataset.policy, Number(moved.dataset.rule), Number(row.dataset.rule));
    else await movePolicy(moved, { before: row.dataset.policy });
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    toastProblem(problem);
  }
  await refresh();
});
