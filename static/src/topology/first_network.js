// The dialog of an empty topology: an exchange, a segment and two sites as the first edits of one new draft.
import { startConditionalFields } from "../forms/conditional_fields.js";
import { read } from "../forms/form_data.js";
import { send, startForms } from "../forms/submit.js";
import { draftWithNetwork } from "./first_edits.js";

export function startFirstNetwork(form) {
  startForms();
  startConditionalFields();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const location = form.elements.namedItem("edits[0].location").selectedOptions[0];
    send(form, draftWithNetwork(read(form), location.dataset.name));
  });
}
