// Data that the server renders into the page for scripts, and helpers that build elements.
export const tenant = document.body.dataset.tenant ?? "";

export const signInAddress = () => `/accounts/login/?next=${encodeURIComponent(location.pathname + location.search)}`;
export const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

// Data of a json_script element.
export const data = (id) => JSON.parse(document.getElementById(id).textContent);

export const SVG = "http://www.w3.org/2000/svg";

// An element with attributes and children: h("a", {class: "btn", href}, "Open"). Text is always text, never markup.
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function s(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// An icon of the sprite; static/build.mjs finds its name here, so always call it with a literal.
export function icon(name, classes = "") {
  return s("svg", { class: `icon ${classes}`.trim(), "aria-hidden": "true" }, s("use", { href: `${document.body.dataset.icons}#${name}` }));
}

/** The address of the object that a problem's path is about (`policies/prod-out/rules[0]`), "" where it is none. The page
 * says where its objects are: data-objects. */
export function problemLocation(path = "") {
  const root = document.querySelector("[data-objects]")?.dataset.objects;
  const [kind, key] = path.split("/");
  return root && kind && key ? `${root}${kind}/?select=${encodeURIComponent(key)}` : "";
}
