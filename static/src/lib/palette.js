// Ctrl K: pages, things of the live network, addresses. The network is read once, when the palette is first opened.
import { get } from "./api.js";
import { h, icon, tenant } from "./dom.js";

const SHOWN = 12;
let things = null;

export function startPalette() {
  const dialog = document.getElementById("palette");
  const input = dialog.querySelector("input");
  const open = () => {
    input.value = "";
    dialog.showModal();
    render(dialog, "");
    things ??= load().then((found) => { things = found; render(dialog, input.value); });
  };
  document.querySelector("[data-palette]")?.addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (dialog.open) dialog.close(); else open();
    }
  });
  input.addEventListener("input", () => render(dialog, input.value));
  dialog.addEventListener("keydown", (event) => keys(event, dialog));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}

async function load() {
  const intent = await get("live/intent/").catch(() => ({}));
  const found = [];
  for (const [kind, word] of [["exchanges", "exchange"], ["connectors", "connector"], ["services", "service"]]) {
    for (const item of intent[kind] ?? []) {
      const prefixes = (item.attachments ?? []).flatMap((attachment) => attachment.prefixes ?? []);
      found.push({ word: item.name, note: [word, ...prefixes].join(" · "), href: `/t/${tenant}/topology/?select=${encodeURIComponent(item.id)}` });
    }
  }
  return found;
}

function pages() {
  return [...document.querySelectorAll(".cw-navlink")].map((link) => ({ word: link.textContent.trim(), note: "page", href: link.href }));
}

function render(dialog, text) {
  const wanted = text.trim().toLowerCase();
  const all = [...pages(), ...(Array.isArray(things) ? things : [])];
  const found = all.filter(({ word, note }) => `${word} ${note}`.toLowerCase().includes(wanted)).slice(0, SHOWN);
  const options = found.map(({ word, note, href }, index) =>
    h("li", { role: "option", id: `palette-${index}`, "aria-selected": String(index === 0) },
      h("a", { class: "ms-opt", href, tabindex: "-1" }, icon("arrow-right"), h("span", { class: "grow clip" }, word), h("small", { class: "ink-3 clip" }, note))));
  dialog.querySelector("ul").replaceChildren(...options);
  dialog.querySelector(".cw-none").hidden = found.length > 0;
  mark(dialog, 0);
}

function mark(dialog, index) {
  const options = [...dialog.querySelectorAll("[role=option]")];
  options.forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
  options[index]?.scrollIntoView({ block: "nearest" });
  dialog.querySelector("input").setAttribute("aria-activedescendant", options[index]?.id ?? "");
}

function keys(event, dialog) {
  const options = [...dialog.querySelectorAll("[role=option]")];
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && options.length) {
    event.preventDefault();
    mark(dialog, (at + step + options.length) % options.length);
  }
  if (event.key === "Enter") {
    event.preventDefault();
    options[at]?.querySelector("a").click();
  }
}
