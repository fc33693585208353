// Fields are named by the path of their value in the body, `rules[0].ports`, as in the path of a problem.
// Pure, so that reading a form and finding the field of a problem are tested without a browser.

const parts = (path) => [...path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));

/** Set `value` in `body` at `path`, creating lists and objects on the way. */
export function put(body, path, value) {
  const keys = parts(path);
  keys.forEach((key, n) => {
    if (n === keys.length - 1) body[key] = value;
    else body = body[key] ??= typeof keys[n + 1] === "number" ? [] : {};
  });
}

/** Set the object at `path` to null when nothing in it is filled in; a flag alone does not count. */
export function nullIfEmpty(body, path) {
  const keys = parts(path);
  const last = keys.pop();
  const holder = keys.reduce((inner, key) => inner?.[key], body);
  const filled = (value) => (value !== null && typeof value === "object" ? Object.values(value).some(filled) : value !== null && value !== "" && typeof value !== "boolean");
  if (holder && !filled(holder[last])) holder[last] = null;
}

function splitLabel(label) {
  const end = label.indexOf("=");
  return end < 0 ? [label, ""] : [label.slice(0, end).trim(), label.slice(end + 1).trim()];
}

/** Return the value of a field by its kind: list, labels, number, flag or text; optional or optional-list: null when
 * empty. */
export function parseValue(kind, text, checked = false) {
  const trimmed = text.trim();
  if (kind === "list") return trimmed.split(/[\s,]+/).filter(Boolean);
  if (kind === "optional-list") return trimmed ? parseValue("list", trimmed) : null;
  if (kind === "labels") return Object.fromEntries(trimmed.split(",").map((label) => label.trim()).filter(Boolean).map(splitLabel));
  if (kind === "number") return trimmed === "" ? null : Number(trimmed);
  if (kind === "flag") return checked;
  if (kind === "optional") return trimmed || null;
  return trimmed;
}

/** Return the name that a problem's path is about: the path itself or its nearest parent among `names`, else null. */
export function nearest(names, path) {
  const keys = parts(path);
  for (let length = keys.length; length > 0; length -= 1) {
    const match = names.find((name) => {
      const own = parts(name);
      return own.length === length && own.every((key, n) => key === keys[n]);
    });
    if (match) return match;
  }
  return null;
}

/** `rules[3].ports` with its first index set: rows are numbered again after a move. */
export const renumber = (name, index) => name.replace(/\[\d+\]/, `[${index}]`);

/** A problem's path without the address of the object it is in: `policies/prod-out/rules[0].ports` gives `rules[0].ports`. */
export const pathInObject = (path) => path.slice(path.lastIndexOf("/") + 1);
