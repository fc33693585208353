// What a drop starts: the dialog of a new policy, or inspection of an existing one.
import { call, patch, post } from "../lib/api.js";
import { release } from "../lib/guard.js";
import { toast, toastProblem } from "../lib/toast.js";
import { withSubmitGuard, open } from "../forms/submit.js";
import { board } from "./policy_lines.js";

const api = () => document.getElementById("cv").dataset.api;
const fill = (dialog, words) => Object.entries(words).forEach(([name, word]) =>
  dialog.querySelectorAll(`[data-fill="${name}"]`).forEach((node) => { node.textContent = word; }));

/** Open the dialog of a new policy from one card to another, or to any connector of a segment. */
export function openPolicyDialog(source, target) {
  const { segment, name: segmentName } = source.closest(".cv-lane").dataset;
  const to = target.dataset.ref ? target.dataset : { ref: "any", name: "any" };
  const dialog = document.getElementById("new-policy");
  open(dialog);
  fill(dialog, { "from-name": source.dataset.name, "to-name": to.name, "segment-name": segmentName });
  const form = dialog.querySelector("form");
  form.elements.from.value = source.dataset.ref;
  form.elements.to.value = to.ref;
  form.elements.segments.value = segment;
  form.elements.name.value = freeName(`${source.dataset.name}-to-${to.name}`.replace(/\s+/g, "-"));
  release(form);
  form.querySelector("[name='rules[0].ports']").focus();
}

/** Return the ends of a share where a line from the card would cross into another segment, else null. */
export function shareEnds(source, target) {
  const [from, to] = [source, target].map((end) => end.closest(".cv-lane").dataset.segment);
  return from === to ? null : { from: `${from}/${source.dataset.ref}`, to: `${to}/${target.dataset.ref ?? ""}` };
}

function freeName(base) {
  const names = new Set([...board().querySelectorAll("[data-policy]")].map((item) => item.dataset.name));
  let name = base;
  for (let n = 2; names.has(name); n += 1) name = `${base}-${n}`;
  return name;
}

/** Inspect the traffic of a policy with a product. Asks for a placement when the draft has no service of the product. */
export async function addInspection(policy, product) {
  if (product.dataset.service) {
    try {
      await addServiceToRules(policy, product.dataset.service);
    } catch (problem) {
      toastProblem(problem);
    }
    return;
  }
  const item = board().querySelector(`[data-policy="${policy}"]`);
  const dialog = document.getElementById("new-service");
  open(dialog);
  fill(dialog, { "policy-name": item.dataset.name, "product-name": product.dataset.name });
  const form = dialog.querySelector("form");
  form.dataset.policy = policy;
  form.elements.product.value = product.dataset.product;
  release(form);
}

/** Handle the dialog of a new service: create it, then let the policy inspect with it. */
export function startServiceDialog() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!("insertService" in form.dataset)) return;
    event.preventDefault();
    withSubmitGuard(form, form.querySelector("[type=submit]"), async () => {
      const placements = [...form.querySelectorAll("[data-placement]:checked")].map((box) => {
        const count = Number(box.closest(".fm-place").querySelector("[data-instances]").value);
        return { exchange: box.value, min_instances: count, max_instances: count };
      });
      const { data: { segments } } = await call("GET", `${api()}policies/${form.dataset.policy}/`);
      const { name, product, on_failure: failure } = form.elements;
      const service = await post(`${api()}services/`, { name: name.value, product: product.value, segments, placements, on_failure: failure.value });
      release(form);
      form.closest("dialog").close();
      await addServiceToRules(form.dataset.policy, service.id);
    });
  });
}

// Every rule that allows or inspects gets the service; without such a rule, the first one. The service must be in the
// segments of the policy.
async function addServiceToRules(uid, service) {
  const [{ data: policy, etag }, { data: inspector, etag: inspectorTag }] = await Promise.all([call("GET", `${api()}policies/${uid}/`), call("GET", `${api()}services/${service}/`)]);
  const missing = policy.segments.filter((segment) => !inspector.segments.includes(segment));
  if (missing.length) await patch(`${api()}services/${service}/`, { segments: [...inspector.segments, ...missing] }, { etag: inspectorTag });
  const passing = policy.rules.filter((rule) => rule.action === "allow" || rule.action === "inspect");
  const chosen = new Set(passing.length ? passing : policy.rules.slice(0, 1));
  const rules = policy.rules.map((rule) => {
    if (!chosen.has(rule)) return rule;
    const services = (rule.services ?? []).includes(service) ? rule.services : [...(rule.services ?? []), service];
    return { ...rule, action: "inspect", services };
  });
  const data = await patch(`${api()}policies/${uid}/`, { rules }, { etag });
  toast("ok", `${policy.name} is inspected now, in this draft.`);
  document.body.dispatchEvent(new CustomEvent("saved", { detail: { source: document.getElementById("cv"), data } }));
}
