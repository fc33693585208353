// Picking objects by typing their name (the combobox pattern of WAI-ARIA): names are asked of the API's lists as one
// types, so it works for ten thousand connectors. What is picked is a chip; the hidden field holds the ids.
//   data-kinds="groups connectors" data-words='{"any": "any connector"}' data-where='{"kind": "…"}' data-many data-free
import { get } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { kindName } from "../lib/kind_names.js";

const SHOWN = 30;
const ADDRESSES = /^([^\s@,]+@)?[0-9a-f:./,\s]*[./:][0-9a-f:./,\s]*$/i; // prefixes, and connector@address in a trace
const answers = new Map(); // address -> promise of rows, for as long as the page is

export function startPickers() {
  document.addEventListener("focusin", ({ target }) => target.matches(".fm-pickinput") && suggest(target));
  document.addEventListener("focusout", ({ target }) => target.matches(".fm-pickinput") && leave(target));
  document.addEventListener("input", ({ target }) => target.matches(".fm-pickinput") && suggest(target));
  document.addEventListener("keydown", (event) => event.target.matches?.(".fm-pickinput") && press(event));
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest(".fm-options [role=option]");
    if (!option) return;
    event.preventDefault();
    choose(option.closest("[data-pick]"), option.dataset.ref, option.dataset.name);
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-unpick]");
    if (!button) return;
    const picker = button.closest("[data-pick]");
    removeChip(picker, button.closest("li"));
    inputOf(picker).focus();
  });
  document.body.addEventListener("changed:draft", () => answers.clear());
  document.body.addEventListener("saved", () => answers.clear());
}

const inputOf = (picker) => picker.querySelector(".fm-pickinput");
const listOf = (picker) => picker.querySelector(".fm-options");
const chipsOf = (picker) => [...picker.querySelectorAll(".fm-chosen > li")];
const many = (picker) => "many" in picker.dataset;

async function suggest(input) {
  const picker = input.closest("[data-pick]");
  const text = input.value.trim();
  input.setCustomValidity("");
  const found = await candidates(picker, text);
  if (document.activeElement !== input || input.value.trim() !== text) return;
  const chosen = new Set(chipsOf(picker).map(({ dataset }) => dataset.ref));
  const options = found.filter(({ ref }) => !chosen.has(ref)).slice(0, SHOWN).map((one, index) =>
    h("li", { role: "option", id: `${input.id}-${index}`, "data-ref": one.ref, "data-name": one.name, "aria-selected": String(index === 0 && text !== "") },
      h("span", {}, one.name), h("small", {}, one.word)));
  if (!options.length) options.push(h("li", { class: "is-none" }, empty(picker, text)));
  listOf(picker).replaceChildren(...options);
  open(picker, true);
}

function empty(picker, text) {
  if ("free" in picker.dataset && text) return "Enter takes it as an address.";
  if (text) return "Nothing of that name.";
  return `No ${picker.dataset.kinds.split(" ").map(kindName).join(" or ")} here yet.`;
}

async function candidates(picker, text) {
  const words = Object.entries(picker.dataset.words ? JSON.parse(picker.dataset.words) : {})
    .filter(([, name]) => name.toLowerCase().includes(text.toLowerCase()))
    .map(([ref, name]) => ({ ref, name, word: "" }));
  const rows = await Promise.all(picker.dataset.kinds.split(" ").map((kind) => asked(picker, kind, text)));
  return [...words, ...rows.flat()];
}

function asked(picker, kind, text) {
  const { api } = picker.closest("[data-api]").dataset;
  const query = new URLSearchParams({ ...(kind === "connectors" && picker.dataset.where ? JSON.parse(picker.dataset.where) : {}), search: text, limit: String(SHOWN) });
  const address = `${api}${kind}/?${query}`;
  if (!answers.has(address)) {
    answers.set(address, get(address)
      .then(({ results }) => results.map(({ id, name }) => ({ ref: id, name, word: kindName(kind) })))
      .catch(() => { answers.delete(address); return []; }));
  }
  return answers.get(address);
}

function press(event) {
  const input = event.target;
  const picker = input.closest("[data-pick]");
  const options = [...listOf(picker).querySelectorAll("[role=option]")];
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    if (listOf(picker).hidden) suggest(input);
    else if (options.length) mark(input, options, (at + step + options.length) % options.length);
  } else if (event.key === "Enter" || (event.key === "," && "free" in picker.dataset)) {
    if (!input.value.trim() && at < 0) return;
    event.preventDefault();
    if (at >= 0 && event.key === "Enter") choose(picker, options[at].dataset.ref, options[at].dataset.name);
    else type(picker);
  } else if (event.key === "Escape" && !listOf(picker).hidden) {
    event.preventDefault();
    event.stopPropagation();
    open(picker, false);
  } else if (event.key === "Backspace" && !input.value) {
    const last = chipsOf(picker).at(-1);
    if (last) removeChip(picker, last);
  }
}

function mark(input, options, index) {
  options.forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
  options[index].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", options[index].id);
}

function open(picker, shown) {
  listOf(picker).hidden = !shown;
  inputOf(picker).setAttribute("aria-expanded", String(shown));
  if (!shown) inputOf(picker).removeAttribute("aria-activedescendant");
}

/** What was typed is what is called so; where addresses may be typed it is one; else it is left to be corrected. */
async function type(picker) {
  const input = inputOf(picker);
  const text = input.value.trim();
  if ("free" in picker.dataset && ADDRESSES.test(text)) {
    text.split(/[\s,]+/).filter(Boolean).forEach((one) => choose(picker, one, one));
    return;
  }
  const named = (await candidates(picker, text)).find(({ name }) => name.toLowerCase() === text.toLowerCase());
  if (input.value.trim() !== text) return;
  if (named) choose(picker, named.ref, named.name);
  else input.setCustomValidity("There is nothing of that name. Choose from the list, or empty the field.");
}

/** Makes this the choice, or one more of them. */
export function choose(picker, ref, name) {
  const words = picker.dataset.words ? JSON.parse(picker.dataset.words) : {};
  // “any” beside something narrower would say nothing: the one chosen last holds.
  const out = !many(picker) ? chipsOf(picker) : chipsOf(picker).filter(({ dataset }) => dataset.ref === ref || dataset.ref === "any" || (ref === "any" && "any" in words));
  out.forEach((chip) => chip.remove());
  picker.querySelector(".fm-chosen").append(
    h("li", { "data-ref": ref }, h("span", {}, name), h("button", { type: "button", "data-unpick": true, "aria-label": `Take ${name} out` }, icon("x", "icon-14"))));
  inputOf(picker).value = "";
  inputOf(picker).setCustomValidity("");
  open(picker, false);
  keep(picker);
}

function removeChip(picker, chip) {
  chip.remove();
  keep(picker);
}

function keep(picker) {
  const field = picker.querySelector("input[type=hidden]");
  field.value = chipsOf(picker).map(({ dataset }) => dataset.ref).join(" ");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

function leave(input) {
  const picker = input.closest("[data-pick]");
  if (input.value.trim()) type(picker);
  open(picker, false);
}
