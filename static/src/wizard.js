// The connector wizard: picking a discovered network fills in what follows from it; discovery shows how far it is.
import { startObjectForms } from "./forms/object_form.js";
import { chooseOption } from "./forms/picker.js";

startObjectForms();

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
