// Forms and buttons that write through the REST API, by attribute:
//   <form data-method="PATCH" data-url="…">   its fields are the body (forms.js); problems appear at their fields
//   <button data-call="DELETE …" data-body='{…}' data-confirm="…?" data-word="Delete" data-next="/t/…/{id}/" data-busy="…">
//   <button data-open="dialog-id">, <button data-close>
// On success: data-next is gone to ({id} of the answer filled in), else "saved" is told on the body: {source, data}.
import { call } from "../lib/api.js";
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
    else press(button);
  });
}

/** Opens a dialog with its form as the server wrote it. */
export function open(dialog) {
  dialog.querySelectorAll("form").forEach((form) => {
    form.reset();
    clear(form);
  });
  dialog.showModal();
  dialog.querySelector("input:not([type=hidden]):not([type=radio]), select, textarea")?.focus();
}

/** Sends a form; shows its problems or closes its dialog. Answers whether it went well. */
export async function send(form, body = read(form)) {
  const [method, url] = [form.dataset.method, form.dataset.url];
  return guard(form, form.querySelector("[type=submit]"), async () => {
    const { data } = await call(method, url, body);
    done(form, data);
  });
}

/** Runs `work` with the button busy; a Problem is shown in `form` if there is one, else as a notice. */
export async function guard(form, button, work) {
  const word = button?.innerHTML;
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
    if (button?.dataset.busy) button.innerHTML = word;
  }
}

async function press(button) {
  const [method, url] = button.dataset.call.split(" ");
  const { confirm: question, word, body } = button.dataset;
  if (question && !(await confirm(question, word ?? "Go on"))) return;
  await guard(null, button, async () => {
    const { data } = await call(method, url, body ? JSON.parse(body) : method === "POST" ? {} : undefined);
    done(button, data);
  });
}

function done(source, data) {
  source.closest("dialog")?.close();
  if (source.dataset.next) location.assign(source.dataset.next.replace("{id}", data?.id ?? ""));
  else document.body.dispatchEvent(new CustomEvent("saved", { detail: { source, data } }));
}
