// The preset "central egress": a dry run shows what it would write; then it is written as one edit.
import { post } from "./lib/api.js";
import { actionCountsText, renderDifferences } from "./lib/differences.js";
import { h } from "./lib/dom.js";
import { release } from "./lib/guard.js";
import { resultCard, showResult } from "./lib/result_card.js";
import { clear, read } from "./forms/form_data.js";
import { withSubmitGuard } from "./forms/submit.js";

const page = document.getElementById("ce");
const form = document.getElementById("ce-form");
const result = document.getElementById("im-result");
const checkButton = document.getElementById("ce-check");

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    check();
  });
  form.addEventListener("input", () => {
    result.replaceChildren();
    checkButton.classList.add("btn-primary");
    showChoices();
  });
  showChoices();
}

// The hub is no spoke of itself, and inspects with services that are attached to it.
function showChoices() {
  const hub = form.elements.hub.selectedOptions[0];
  document.getElementById("ce-name").placeholder = `internet by ${hub.value}`;
  const offer = (input, isOffered) => {
    input.disabled = !isOffered;
    input.closest("label").hidden = !isOffered;
  };
  for (const spoke of form.querySelectorAll("[name=spokes]")) offer(spoke, spoke.value !== hub.value);
  const services = [...form.querySelectorAll("[name=services]")];
  for (const service of services) offer(service, service.dataset.segments.split(" ").includes(hub.dataset.uid));
  const count = services.filter((service) => !service.disabled).length;
  document.getElementById("ce-services-help").textContent = count
    ? "Flows pass those that you choose, in this order. Without any they pass uninspected."
    : `No service is attached to ${hub.value}, so flows pass uninspected.`;
}

async function send(query = "") {
  const { name, ...preset } = read(form);
  return (await post(`${page.dataset.api}presets/central-egress/${query}`, name ? { name, ...preset } : preset)).differences;
}

function check() {
  return withSubmitGuard(form, checkButton, async () => {
    const differences = await send("?dry_run=1");
    clear(form);
    checkButton.classList.remove("btn-primary");
    showResult(result, resultCard(`2. What it writes: ${actionCountsText(differences)}`,
      await renderDifferences(differences, page.dataset.names), h("div", { class: "fm-buttons" }, writeButton())));
  });
}

function writeButton() {
  const button = h("button", { class: "btn btn-primary", type: "button", "data-busy": "Writing…" }, "Write into the draft");
  button.addEventListener("click", () => withSubmitGuard(form, button, async () => {
    await send();
    release(form);
    location.assign(page.dataset.next);
  }));
  return button;
}
