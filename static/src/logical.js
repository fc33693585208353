// The logical view of the live network: the canvas to read. What is picked opens among the objects.
import { draw, redrawOnChange } from "./canvas/policy_lines.js";
import { startView } from "./canvas/view.js";
import { startZoom } from "./canvas/zoom.js";

const stage = document.getElementById("cv-stage");
const { objects } = document.getElementById("cv").dataset;

draw();
redrawOnChange(stage);
startView();
startZoom(stage, draw);
stage.addEventListener("click", (event) => {
  const [kind, uid] = event.target.closest("[data-select]")?.dataset.select.split("/") ?? [];
  if (uid) location.assign(`${objects}${kind}/?select=${uid}`);
});
