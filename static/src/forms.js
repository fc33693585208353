// Pages whose only script is forms and buttons that write through the API.
import { startForms } from "./forms/submit.js";

startForms();
document.body.addEventListener("saved", () => location.reload());
