// The connector wizard: picking a discovered network fills in what follows from it; discovery shows how far it is.
import { startForms } from "./forms/submit.js";

startForms();

document.addEventListener("change", ({ target }) => {
  if (target.name !== "settings.vpc_id") return;
  const { form, dataset } = target;
  const fields = form.elements;
  fields.namedItem("settings.region").value = dataset.region;
  fields.namedItem("attachments[0].prefixes").value = dataset.prefixes;
  if (!fields.namedItem("name").value || fields.namedItem("name").dataset.filled) {
    fields.namedItem("name").value = dataset.name;
    fields.namedItem("name").dataset.filled = "yes";
  }
  if (dataset.exchange) fields.namedItem("exchange").value = dataset.exchange;
});

document.addEventListener("input", ({ target }) => {
  if (target.name === "name") delete target.dataset.filled;
});

// Discovery began: fetch the list, which then asks again by itself until it is done.
document.body.addEventListener("saved", () => {
  htmx.ajax("GET", location.pathname + location.search, { target: "#networks", swap: "outerHTML" });
});
// The form appears with the first network: the page has to be laid out anew once.
document.body.addEventListener("htmx:afterSwap", () => {
  if (document.querySelector(".wz-vpcs") && !document.getElementById("wz-form")) location.reload();
});
