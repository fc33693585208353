// Trace and reachability: ends are picked by name or typed as addresses; the form is a plain GET form.
import { startConditionalFields } from "./forms/conditional_fields.js";
import { clear, show } from "./forms/form_data.js";
import { startPickers, typedName } from "./forms/picker.js";

startPickers();
startConditionalFields();
const form = document.querySelector(".tr-ask");
form.querySelector("[name=version]").addEventListener("change", ({ target }) => {
  const tenant = document.body.dataset.tenant;
  form.dataset.api = `/api/v1/t/${tenant}/${target.value}/`;
});
document.querySelector("[data-swap]")?.addEventListener("click", () => {
  const [first, second] = form.querySelectorAll(".tr-end");
  const [firstState, secondState] = [first, second].map((end) => ({ value: end.querySelector("[type=hidden]").value, typed: end.querySelector(".fm-pickinput").value, chips: [...end.querySelectorAll(".fm-chosen > li")] }));
  for (const [end, { value, typed, chips }] of [[first, secondState], [second, firstState]]) {
    end.querySelector("[type=hidden]").value = value;
    end.querySelector(".fm-pickinput").value = typed;
    end.querySelector(".fm-chosen").replaceChildren(...chips);
  }
});
const MISSING = { from: "Say where the flow starts.", to: "Say where the flow goes.", of: "Say whose flows." };
// A typed name is sent as it is. Fields that are empty or hidden stay out of the query string.
form.addEventListener("submit", (event) => {
  clear(form);
  for (const picker of form.querySelectorAll("[data-pick]")) {
    if (typedName(picker)) picker.querySelector("[type=hidden]").value = typedName(picker);
  }
  const problems = Object.entries(MISSING).filter(([name]) => form.elements[name]?.value === "").map(([path, message]) => ({ path, message }));
  if (problems.length) {
    event.preventDefault();
    show(form, { problems });
    return;
  }
  for (const field of form.elements) if (field.name && (field.value === "" || field.closest("[hidden]"))) field.disabled = true;
});
window.addEventListener("pageshow", () => { for (const field of form.elements) field.disabled = false; });
