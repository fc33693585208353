// Forms and buttons that write through the REST API, by attribute:
//   <form data-method="PATCH" data-url="…">   its fields are the body (form_data.js); problems appear at their fields
//   <button data-call="DELETE …" data-body='{…}' data-confirm="…?" data-word="Delete" data-next="/t/…/{id}/" data-busy="…">
//   data-etag="…" on either is the state it was rendered from, sent as If-Match; a form that comes too late shows both values
//   <button data-open="dialog-id">, <button data-close>
// On success the page goes to data-next ({id} is that of the answer), else the body gets the event "saved": {source, data}.
import { call, failedPlan, goToConflicts } from "../lib/api.js";
import { confirm } from "../lib/behaviours.js";
import { leave, release } from "../lib/guard.js";
import { toastProblem } from "../lib/toast.js";
import { showChange } from "./changed.js";
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
    if ("close" in button.dataset) close(button.closest("dialog"));
    else if (button.dataset.open) open(document.getElementById(button.dataset.open));
    else callApi(button);
  });
  addEventListener("hashchange", openNamed);
  openNamed();
}

// A dialog that the address names (#new-draft) is open, so that other pages can link to it.
function openNamed() {
  const named = document.getElementById(location.hash.slice(1));
  if (!named?.matches("dialog:not([open])")) return;
  history.replaceState(null, "", location.pathname + location.search);
  open(named);
}

async function close(dialog) {
  if (await leave(dialog)) dialog.close();
}

/** Open a dialog with its form as the server rendered it. */
export function open(dialog) {
  dialog.querySelectorAll("form").forEach((form) => {
    release(form);
    form.reset();
    clear(form);
  });
  dialog.showModal();
  dialog.querySelector("input:not([type=hidden]):not([type=radio]), select, textarea")?.focus();
}

/** Send a form, then show its problems, or that its object was changed meanwhile, or close its dialog. */
export async function send(form, body = read(form), etag = form.dataset.etag) {
  const [method, url] = [form.dataset.method, form.dataset.url];
  await withSubmitGuard(form, form.querySelector("[type=submit]"), async () => {
    try {
      const { data } = await call(method, url, body, { etag });
      onSuccess(form, data);
    } catch (problem) {
      if (problem.status !== 412 || !("object" in form.dataset)) throw problem;
      await showChange(form, problem, (decided, newest) => send(form, decided, newest));
    }
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
    else if (goToConflicts(problem)) return false;
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
    const { data } = await call(method, url, sent, { etag: button.dataset.etag }).catch((problem) => ({ data: { id: failedPlan(problem) } }));
    onSuccess(button, data);
  });
}

function onSuccess(source, data) {
  const form = source.closest("form");
  if (form) release(form);
  source.closest("dialog")?.close();
  if (source.dataset.next) location.assign(source.dataset.next.replace("{id}", data?.id ?? ""));
  else document.body.dispatchEvent(new CustomEvent("saved", { detail: { source, data } }));
}
