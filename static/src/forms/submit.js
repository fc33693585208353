// Forms and buttons that write through the REST API, by attribute:
//   <form data-method="PATCH" data-url="…">   its fields are the body (form_data.js); problems appear at their fields
//   <button data-call="DELETE …" data-body='{…}' data-confirm="…?" data-word="Delete" data-next="/t/…/{id}/" data-busy="…">
//   <button data-open="dialog-id">, <button data-close>
// On success the page goes to data-next ({id} is that of the answer), else the body gets the event "saved": {source, data}.
import { call, failedPlan } from "../lib/api.js";
import { confirm } from "../lib/behaviours.js";
import { toastProblem } from "../lib/toast.js";
import { clear, read, show } from "./form_data.js";

export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.method) return;
    event.preventDefault();
    if (event.submitter?.value !== "cancel") send(form);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-call], [data-open], [data-close]");
    if (!button || button.disabled || button.getAttribute("aria-disabled") === "true") return;
    if ("close" in button.dataset) button.closest("dialog").close();
    else if (button.dataset.open) open(document.getElementById(button.dataset.open));
    else callApi(button);
  });
}

/** Open a dialog with its form as the server rendered it. */
export function open(dialog) {
  dialog.querySelectorAll("form").forEach((form) => {
    form.reset();
    clear(form);
  });
  dialog.showModal();
  dialog.querySelector("input:not([type=hidden]):not([type=radio]), select, textarea")?.focus();
}

/** Send a form, then show its problems or close its dialog. Return whether it succeeded. */
export async function send(form, body = read(form)) {
  const [method, url] = [form.dataset.method, form.dataset.url];
  return withSubmitGuard(form, form.querySelector("[type=submit]"), async () => {
    const { data } = await call(method, url, body);
    onSuccess(form, data);
  });
}

/** Run `work` with the button disabled. Show a Problem in `form` if given, else as a toast. Return whether it succeeded. */
export async function withSubmitGuard(form, button, work) {
  const label = button?.innerHTML;
  if (button) button.disabled = true;
  if (button?.dataset.busy) button.textContent = button.dataset.busy;
  try {
    await work();
    return true;
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    if (form) show(form, problem);
    else if (!document.body.dispatchEvent(new CustomEvent("refused", { detail: { button, problem }, cancelable: true }))) return false;
    else toastProblem(problem);
    return false;
  } finally {
    if (button) button.disabled = false;
    if (button?.dataset.busy) button.innerHTML = label;
  }
}

async function callApi(button) {
  const [method, url] = button.dataset.call.split(" ");
  const { confirm: question, word, body } = button.dataset;
  if (question && !(await confirm(question, word ?? "Go on"))) return;
  await withSubmitGuard(null, button, async () => {
    const sent = body ? JSON.parse(body) : method === "POST" ? {} : undefined;
    // A plan that failed has a page too, which says more than its problems.
    const { data } = await call(method, url, sent).catch((problem) => ({ data: { id: failedPlan(problem) } }));
    onSuccess(button, data);
  });
}

function onSuccess(source, data) {
  source.closest("dialog")?.close();
  if (source.dataset.next) location.assign(source.dataset.next.replace("{id}", data?.id ?? ""));
  else document.body.dispatchEvent(new CustomEvent("saved", { detail: { source, data } }));
}
