// Conflicts of a rebase: how many are left to decide, and one choice for all.
import { startForms } from "./forms/submit.js";

startForms();
const form = document.getElementById("rb");
form?.addEventListener("change", showOpenCount);
form?.addEventListener("click", ({ target }) => {
  const side = target.closest("[data-all]")?.dataset.all;
  if (!side) return;
  form.querySelectorAll(`[type=radio][value=${side}]`).forEach((choice) => { choice.checked = true; });
  showOpenCount();
});

if (form) showOpenCount(); // what was chosen while the page was still loading counts too

function showOpenCount() {
  const open = [...form.querySelectorAll(".rb-field")].filter((field) => !field.querySelector(":checked")).length;
  const counter = document.getElementById("rb-left");
  if (counter) counter.textContent = open ? `${open} to decide` : "All decided";
}
