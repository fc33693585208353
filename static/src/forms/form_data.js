// Reads a form into a JSON body by the names of its fields, and shows problems where they belong.
import { signInLink } from "../lib/sign_in.js";
import { nullIfEmpty, nearest, put, parseValue, pathInObject } from "./paths.js";

const fields = (form) => [...form.elements].filter((field) => field.name && !field.matches(":disabled"));
const isVisible = (field) => field.type !== "hidden" || field.dataset.picked;

/** Return the body of a form. Check boxes with the same name make a list; `data-kind` says how text becomes a value.
 * A field that another field hides is null; rows make a list even when there are none. */
export function read(form) {
  const body = {};
  const lists = {};
  form.querySelectorAll("[data-rows]").forEach((rows) => put(body, rows.dataset.rows, []));
  for (const field of fields(form)) {
    if (field.closest("[data-when][hidden]")) {
      put(body, field.name, null);
      continue;
    }
    if (field.type === "radio" && !field.checked) continue;
    if (field.type === "checkbox" && field.dataset.kind !== "flag") {
      lists[field.name] ??= [];
      if (field.checked) lists[field.name].push(field.value);
    } else if (field.multiple) {
      put(body, field.name, [...field.selectedOptions].map((option) => option.value));
    } else {
      put(body, field.name, parseValue(field.dataset.kind, field.value, field.checked));
    }
  }
  for (const [name, values] of Object.entries(lists)) put(body, name, values);
  form.querySelectorAll("[data-nullable]").forEach(({ dataset }) => nullIfEmpty(body, dataset.nullable));
  return body;
}

/** Remove all problems from a form. */
export function clear(form) {
  form.querySelectorAll("[data-problem]").forEach((node) => node.remove());
  form.querySelectorAll("[aria-invalid]").forEach((field) => {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  });
}

/** Show each problem under the field that its path names, the rest at the top. Keeps what was typed. */
export function show(form, error) {
  clear(form);
  const all = fields(form);
  const names = [...new Set(all.filter(isVisible).map((field) => field.name))];
  const rest = [];
  let first = null;
  for (const problem of error.problems ?? []) {
    const name = nearest(names, pathInObject(problem.path ?? ""));
    const field = name && all.find((each) => each.name === name && isVisible(each));
    if (!field) {
      rest.push(problem);
      continue;
    }
    const note = line(problem.message);
    note.id = `problem-${Math.random().toString(36).slice(2, 8)}`;
    const input = field.dataset.picked ? document.getElementById(field.dataset.picked) : field;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", note.id);
    input.closest("details")?.setAttribute("open", "");
    (input.closest("[data-field]") ?? input).append(note);
    first ??= input;
  }
  if (rest.length || !first) {
    const box = document.createElement("div");
    box.className = "cw-note is-bad fm-problems";
    box.dataset.problem = "";
    box.setAttribute("role", "alert");
    box.tabIndex = -1;
    const list = document.createElement("div");
    list.append(...(rest.length ? rest.map(({ message, path }) => line(message, path)) : [line(error.detail || error.message)]));
    if (error.status === 401) list.append(signInLink());
    box.append(list);
    form.querySelector("[data-problems]")?.replaceChildren(box) ?? form.prepend(box);
    first ??= box;
  }
  first.focus();
}

function line(message, path) {
  const node = document.createElement("p");
  node.className = "fm-problem";
  node.dataset.problem = "";
  node.textContent = message;
  if (path) {
    const where = document.createElement("span");
    where.className = "mono ink-3";
    where.textContent = ` ${path}`;
    node.append(where);
  }
  return node;
}
