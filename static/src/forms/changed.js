// The object of a form was changed by somebody else since it was opened: both values of each field that both changed, and
// buttons to go on. What only one side changed is kept.
import { h, icon } from "../lib/dom.js";
import { original, release } from "../lib/guard.js";
import { refresh } from "../lib/refresh.js";
import { timeOfDay } from "../lib/times.js";
import { showConditionalFields } from "./conditional_fields.js";
import { clear, read, show } from "./form_data.js";
import { merge } from "./merge.js";

/** Show it at the top of `form`; `save(body, etag)` writes what the person decides. */
export async function showChange(form, problem, save) {
  const page = await fetch(location.href, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html").querySelector(`form[data-url="${form.dataset.url}"]`);
  if (!fresh) {
    show(form, problem);
    return;
  }
  showConditionalFields(fresh);
  const bodies = [original(form), form, fresh].map(read);
  const { taken, conflicts } = merge(...bodies);
  const words = wording([form, fresh]);
  const by = problem.document.changed_by;
  const at = problem.document.changed_at ? timeOfDay(new Date(problem.document.changed_at)) : "";
  clear(form);
  const box = h("div", { class: "cw-note is-warn fm-changed", "data-problem": true, role: "alert", tabindex: "-1" }, icon("users"), h("div", {},
    h("b", {}, `Changed by ${by ?? "somebody else"} since you opened it${at ? `, at ${at}` : ""}.`),
    taken.length ? h("p", {}, `Theirs, kept: ${taken.map((path) => `${label(form, path)} is ${words(valueAt(bodies[2], path))}`).join("; ")}.`) : null,
    conflicts.length ? h("p", {}, "Choose a value for each field that you both changed.") : h("p", {}, "You changed different fields, so both changes can be kept."),
    ...conflicts.map((conflict, index) => choice(form, conflict, index, words)),
    h("div", { class: "fm-buttons" },
      h("button", { class: "btn btn-sm", type: "button", "data-drop-mine": true }, "Discard mine"),
      h("button", { class: "btn btn-sm btn-primary", type: "button", "data-keep": true }, conflicts.length ? "Save these values" : "Save both"))));
  form.querySelector("[data-problems]").replaceChildren(box);
  box.querySelector("[data-drop-mine]").addEventListener("click", () => {
    release(form);
    refresh();
  });
  box.querySelector("[data-keep]").addEventListener("click", () => {
    const sides = new Map(conflicts.map(({ path }, index) => [path, box.querySelector(`[data-conflict="${index}"] :checked`).value]));
    save(merge(...bodies, (path) => sides.get(path)).merged, fresh.dataset.etag);
  });
  box.focus();
}

// Without a name of its own in the form's body: the choice is read from `data-conflict`.
function choice(form, { path, mine, theirs }, index, words) {
  const side = (value, word, content, checked) => h("label", { class: "fm-check" },
    h("input", { type: "radio", form: `conflict-${index}`, name: `conflict-${index}`, value, checked }), h("span", {}, `${word}: `, h("span", { class: "mono" }, words(content))));
  return h("fieldset", { class: "fm-set", "data-conflict": String(index) }, h("legend", {}, label(form, path)),
    side("mine", "Keep mine", mine, true), side("theirs", "Take theirs", theirs, false));
}

function label(form, path) {
  const field = [...form.elements].find(({ name }) => name === path);
  return field?.closest("[data-field]")?.querySelector("label, legend")?.textContent.trim() || path;
}

const valueAt = (body, path) => path.split(".").reduce((value, key) => {
  const [, field, name] = /^([^[]+)(?:\[(.*)\])?$/.exec(key) ?? [null, key];
  return name ? value?.[field]?.find((item) => item.name === name) : value?.[field];
}, body);

/** Return a function that says a value in words; references are called as their chips in the forms are. */
function wording(forms) {
  const names = new Map(forms.flatMap((form) => [...form.querySelectorAll(".fm-chosen > li[data-ref]")].map((chip) => [chip.dataset.ref, chip.querySelector("span").textContent])));
  const words = (value) => {
    if (value === null || value === undefined || value === "" || value?.length === 0) return "nothing";
    if (Array.isArray(value)) return value.map(words).join(", ");
    if (typeof value === "object") return Object.entries(value).filter(([, field]) => words(field) !== "nothing").map(([key, field]) => `${key} ${words(field)}`).join(" · ");
    return names.get(value) ?? String(value);
  };
  return words;
}
