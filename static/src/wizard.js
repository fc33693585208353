// The connector wizard: picking a discovered network fills in what follows from it; discovery shows how far it is.
import { startObjectForms } from "./forms/object_form.js";
import { chooseOption } from "./forms/picker.js";

startObjectForms();
// The step that is next is where the eye and the keyboard are.
document.querySelector("[data-step]")?.focus();

document.addEventListener("change", ({ target }) => {
  if (target.name !== "network") return;
  const { dataset } = target;
  const { elements } = document.getElementById("wz-form");
  const fill = (name, value) => { elements.namedItem(name).value = value; };
  for (const [name, value] of Object.entries(JSON.parse(dataset.settings))) fill(`settings.${name}`, value);
  fill("attachments[0].prefixes", dataset.prefixes);
  const name = elements.namedItem("name");
  if (!name.value || name.dataset.filled) {
    name.value = dataset.name;
    name.dataset.filled = "yes";
  }
  if (dataset.exchange) chooseOption(elements.namedItem("exchange").closest("[data-pick]"), dataset.exchange, dataset.exchangeName);
});

// A network that was pressed is a finished step; arrow keys only move between networks, until Enter.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-change-network]")) showNetworks(true);
  else if (event.detail && event.target.closest(".wz-choice")?.querySelector("input:enabled")) finishNetworks();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.name === "network" && event.target.checked) finishNetworks();
});

function finishNetworks() {
  const line = document.querySelector("[data-network-chosen]");
  // The click on a label chooses its network after this event.
  setTimeout(() => {
    const { name, prefixes } = document.querySelector("input[name=network]:checked").dataset;
    line.querySelector("span").textContent = [name, prefixes].filter(Boolean).join(" · ");
    showNetworks(false);
  });
}

function showNetworks(shown) {
  document.querySelector("[data-network-chosen]").hidden = shown;
  document.querySelector(".wz-choices").hidden = !shown;
  (shown ? document.querySelector("input[name=network]:checked") : document.getElementById("wz-where")).focus();
}

document.addEventListener("input", ({ target }) => {
  if (target.name === "name") delete target.dataset.filled;
});

// Discovery began: fetch the list, which then asks again by itself until it is done.
document.body.addEventListener("saved", () => {
  htmx.ajax("GET", location.pathname + location.search, { target: "#networks", swap: "outerHTML" });
});
// The form appears with the first network: the page has to be laid out again once.
document.body.addEventListener("htmx:afterSwap", () => {
  if (document.querySelector(".wz-choices") && !document.getElementById("wz-form")) location.reload();
});
