// Pages whose only script is forms and buttons that write through the API.
//   data-saved="…" on a form says what was done; without it the page loads again.
import { startForms } from "./forms/submit.js";
import { refresh } from "./lib/refresh.js";
import { toast } from "./lib/toast.js";

startForms();
document.body.addEventListener("saved", ({ detail: { source } }) => {
  if (!source.dataset.saved) {
    location.reload();
    return;
  }
  refresh();
  toast("ok", source.dataset.saved);
});
