// Fields that are shown only while another field has one of the listed values: data-when="path" data-is="tcp|udp".
export function startConditionalFields() {
  document.addEventListener("change", ({ target }) => target.form && showConditionalFields(target.form));
  document.addEventListener("row", ({ target }) => showConditionalFields(target.closest("form")));
  document.body.addEventListener("refreshed", showAll);
  showAll();
}

const showAll = () => document.querySelectorAll("form").forEach(showConditionalFields);

export function showConditionalFields(form) {
  for (const field of form.querySelectorAll("[data-when]")) {
    const other = form.elements.namedItem(field.dataset.when);
    if (other) field.hidden = !field.dataset.is.split("|").includes(other.value);
  }
}
