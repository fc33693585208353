// Picking objects by typing their name (the combobox pattern of WAI-ARIA): names come from the API's lists as
// one types, so it works for ten thousand connectors. Each choice is a chip; the hidden field holds the ids.
// A form with data-names takes a name that was typed and not chosen too (typedName): the server finds its object.
//   data-kinds="groups connectors" data-words='{"any": "any connector"}' data-where='{"kind": "…"}' data-many data-free
import { get } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { kindName } from "../lib/kind_names.js";

const MAX_OPTIONS = 30;
const TYPED = /^([^\s@,]+@)?!?[0-9a-f:./,\s!-]*[./:][0-9a-f:./,\s!-]*$|^!.|^[\d\s,-]+$/i; // prefixes, ranges, what is left out, connector@address, ports
const optionCache = new Map(); // URL -> promise of rows, for as long as the page is

export function startPickers() {
  document.addEventListener("focusin", ({ target }) => target.matches(".fm-pickinput") && suggest(target));
  document.addEventListener("focusout", ({ target }) => target.matches(".fm-pickinput") && onBlur(target));
  document.addEventListener("input", ({ target }) => target.matches(".fm-pickinput") && suggest(target));
  document.addEventListener("keydown", (event) => event.target.matches?.(".fm-pickinput") && onKeydown(event));
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest(".fm-options [role=option]");
    if (!option) return;
    event.preventDefault();
    chooseOption(option.closest("[data-pick]"), option.dataset.ref, option.dataset.name);
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-unpick]");
    if (!button) return;
    const picker = button.closest("[data-pick]");
    removeChip(picker, button.closest("li"));
    inputOf(picker).focus();
  });
  document.body.addEventListener("changed:draft", () => optionCache.clear());
  document.body.addEventListener("saved", () => optionCache.clear());
}

const inputOf = (picker) => picker.querySelector(".fm-pickinput");
const listOf = (picker) => picker.querySelector(".fm-options");
const chipsOf = (picker) => [...picker.querySelectorAll(".fm-chosen > li")];
const isMultiple = (picker) => "many" in picker.dataset;
const takesNames = (picker) => Boolean(picker.closest("[data-names]"));

async function suggest(input) {
  const picker = input.closest("[data-pick]");
  const text = input.value.trim();
  input.setCustomValidity("");
  const all = await candidates(picker, text);
  if (document.activeElement !== input || input.value.trim() !== text) return;
  const chosen = new Set(chipsOf(picker).map(({ dataset }) => dataset.ref));
  const options = all.filter(({ ref }) => !chosen.has(ref)).slice(0, MAX_OPTIONS).map((option, index) =>
    h("li", { role: "option", id: `${input.id}-${index}`, "data-ref": option.ref, "data-name": option.name, "aria-selected": String(index === 0 && text !== "") },
      h("span", {}, option.name), h("small", {}, option.word)));
  if (!options.length) options.push(h("li", { class: "is-none" }, emptyText(picker, text)));
  listOf(picker).replaceChildren(...options);
  listOf(picker).dataset.for = text;
  setOpen(picker, true);
}

/** Whether a field of one end of flows takes the text as labels, such as env=prod. */
function isSelector(picker, text) {
  return "labels" in picker.dataset && /[=(]/.test(text);
}

function emptyText(picker, text) {
  if ("free" in picker.dataset && TYPED.test(text)) return "Press Enter to use it as it is.";
  if (isSelector(picker, text)) return "Press Enter to use it as labels.";
  if (text) return "No object has this name.";
  return `No ${picker.dataset.kinds.split(" ").map(kindName).join(" or ")} here yet.`;
}

async function candidates(picker, text) {
  const words = Object.entries(picker.dataset.words ? JSON.parse(picker.dataset.words) : {})
    .filter(([, name]) => name.toLowerCase().includes(text.toLowerCase()))
    .map(([ref, name]) => ({ ref, name, word: "" }));
  const rows = await Promise.all(picker.dataset.kinds.split(" ").map((kind) => fetchOptions(picker, kind, text)));
  return [...words, ...rows.flat(), ...(await fetchCatalogue(picker.dataset.catalogue, text))];
}

async function fetchCatalogue(catalogue, text) {
  if (!catalogue) return [];
  const rows = await cached(`/api/v1/catalog/${catalogue}/?limit=200`, ({ name }) => ({ ref: name, name, word: "well known" }));
  return rows.filter(({ name }) => name.includes(text.toLowerCase()));
}

function fetchOptions(picker, kind, text) {
  const { api } = picker.closest("[data-api]").dataset;
  const query = new URLSearchParams({ ...(kind === "connectors" && picker.dataset.where ? JSON.parse(picker.dataset.where) : {}), search: text, limit: String(MAX_OPTIONS) });
  const url = `${api}${kind}/?${query}`;
  return cached(url, ({ id, name }) => ({ ref: id, name, word: kindName(kind) }));
}

function cached(url, option) {
  if (!optionCache.has(url)) {
    optionCache.set(url, get(url)
      .then(({ results }) => results.map(option))
      .catch(() => { optionCache.delete(url); return []; }));
  }
  return optionCache.get(url);
}

function onKeydown(event) {
  const input = event.target;
  const picker = input.closest("[data-pick]");
  const options = [...listOf(picker).querySelectorAll("[role=option]")];
  // Options of an older text say nothing about the present one.
  const isCurrent = listOf(picker).dataset.for === input.value.trim();
  const at = isCurrent ? options.findIndex((option) => option.getAttribute("aria-selected") === "true") : -1;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    if (listOf(picker).hidden) suggest(input);
    else if (options.length) markOption(input, options, (at + step + options.length) % options.length);
  } else if (event.key === "Enter" || (event.key === "," && "free" in picker.dataset && !isSelector(picker, input.value))) {
    if (!input.value.trim() && at < 0) return;
    if (at < 0 && takesNames(picker) && event.key === "Enter") return;
    event.preventDefault();
    if (at >= 0 && event.key === "Enter") chooseOption(picker, options[at].dataset.ref, options[at].dataset.name);
    else chooseTyped(picker);
  } else if (event.key === "Escape" && !listOf(picker).hidden) {
    event.preventDefault();
    event.stopPropagation();
    setOpen(picker, false);
  } else if (event.key === "Backspace" && !input.value) {
    const last = chipsOf(picker).at(-1);
    if (last) removeChip(picker, last);
  }
}

function markOption(input, options, index) {
  options.forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
  options[index].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", options[index].id);
}

function setOpen(picker, shown) {
  listOf(picker).hidden = !shown;
  inputOf(picker).setAttribute("aria-expanded", String(shown));
  if (!shown) inputOf(picker).removeAttribute("aria-activedescendant");
}

/** Choose the object of the typed name, or the typed addresses where they are allowed; else mark the field invalid. */
async function chooseTyped(picker) {
  const input = inputOf(picker);
  const text = input.value.trim();
  if ("free" in picker.dataset && TYPED.test(text)) {
    text.split(/[\s,]+/).filter(Boolean).forEach((address) => chooseOption(picker, address, address));
    return;
  }
  if (isSelector(picker, text)) {
    chooseOption(picker, text, text);
    return;
  }
  const named = (await candidates(picker, text)).find(({ name }) => name.toLowerCase() === text.toLowerCase());
  if (input.value.trim() !== text) return;
  if (named) chooseOption(picker, named.ref, named.name);
  else if (!takesNames(picker)) input.setCustomValidity("No object has this name. Choose one from the list, or empty the field.");
}

/** Choose an object: instead of the present choice, or beside it where several may be chosen. */
export function chooseOption(picker, ref, name) {
  const words = picker.dataset.words ? JSON.parse(picker.dataset.words) : {};
  // “any” and a narrower choice exclude each other: the last choice replaces the other.
  const out = !isMultiple(picker) ? chipsOf(picker) : chipsOf(picker).filter(({ dataset }) => dataset.ref === ref || dataset.ref === "any" || (ref === "any" && "any" in words));
  out.forEach((chip) => chip.remove());
  picker.querySelector(".fm-chosen").append(
    h("li", { "data-ref": ref }, h("span", {}, name), h("button", { type: "button", "data-unpick": true, "aria-label": `Remove ${name}` }, icon("x", "icon-14"))));
  inputOf(picker).value = "";
  inputOf(picker).setCustomValidity("");
  setOpen(picker, false);
  storeValue(picker);
}

/** Return what is typed in a picker and not chosen. */
export const typedName = (picker) => inputOf(picker).value.trim();

function removeChip(picker, chip) {
  chip.remove();
  storeValue(picker);
}

function storeValue(picker) {
  const field = picker.querySelector("input[type=hidden]");
  field.value = chipsOf(picker).map(({ dataset }) => dataset.ref).join(" ");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

function onBlur(input) {
  const picker = input.closest("[data-pick]");
  if (input.value.trim()) chooseTyped(picker);
  setOpen(picker, false);
}
