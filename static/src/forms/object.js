// The forms of objects, wherever they are: sending, rows, picking, fields that hang on others.
import { startPicks } from "./pick.js";
import { startRows } from "./rows.js";
import { startForms } from "./submit.js";
import { startWhen } from "./when.js";

export function startObjectForms() {
  startForms();
  startRows();
  startPicks();
  startWhen();
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("[data-object]");
    if (!form || !(event.ctrlKey || event.metaKey) || !["s", "Enter"].includes(event.key)) return;
    event.preventDefault();
    form.requestSubmit();
  });
}
