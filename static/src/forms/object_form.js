// The forms of objects on every page: submitting, rows, pickers, conditional fields.
import { startPickers } from "./picker.js";
import { startRows } from "./rows.js";
import { startSelectorCounts } from "./selector_count.js";
import { startForms } from "./submit.js";
import { startConditionalFields } from "./conditional_fields.js";

export function startObjectForms() {
  startForms();
  startRows();
  startPickers();
  startConditionalFields();
  startSelectorCounts();
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("[data-object]");
    if (!form || !(event.ctrlKey || event.metaKey) || !["s", "Enter"].includes(event.key)) return;
    event.preventDefault();
    form.requestSubmit();
  });
}
