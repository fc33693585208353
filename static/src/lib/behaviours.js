// Small behaviours that pages ask for by attribute.
//   data-copy="text"       a button that copies
//   data-confirm="…?"      a form or button that asks first, in a dialog that names the tenant
//   data-expand="id"       a button that opens and closes that element
//   data-expands           a table row that does what the data-expand button in it does
//   data-submit            a select that sends its form when it changes
import { h, tenant } from "./dom.js";
import { toast } from "./toast.js";

export function startBehaviours() {
  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (!copy) return;
    await navigator.clipboard.writeText(copy.dataset.copy);
    toast("ok", "Copied.");
  });
  document.addEventListener("click", (event) => {
    const row = event.target.closest("a, button, input, label, summary") ? null : event.target.closest("[data-expands]");
    if (row) row.querySelector("[data-expand]").click();
    const button = event.target.closest("[data-expand]");
    if (!button) return;
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    document.getElementById(button.dataset.expand).hidden = !open;
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const asks = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (!asks || event.target.dataset.confirmed) return;
    event.preventDefault();
    confirm(asks, event.submitter?.dataset.confirmWord ?? "Go on").then((yes) => {
      if (!yes) return;
      event.target.dataset.confirmed = "yes";
      event.target.requestSubmit(event.submitter);
      delete event.target.dataset.confirmed;
    });
  });
}

/** Ask in a dialog that names the tenant; `detail` is a further sentence. Resolves to whether the person agreed. */
export function confirm(question, word = "Go on", { refuse = "Cancel", detail = "" } = {}) {
  const dialog = h(
    "dialog", { class: "cw-dialog", "aria-labelledby": "confirm-title" },
    h("form", { method: "dialog", class: "card-body cw-form" },
      h("h2", { id: "confirm-title" }, question),
      detail ? h("p", { class: "ink-2" }, detail) : null,
      tenant ? h("p", { class: "ink-2" }, "In ", h("b", {}, tenant), ".") : null,
      h("div", { class: "cw-formacts" },
        h("button", { class: "btn", value: "no", type: "submit", autofocus: true }, refuse),
        h("button", { class: "btn btn-danger-line", value: "yes", type: "submit" }, word))),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue === "yes");
  }));
}
