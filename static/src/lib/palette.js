// Ctrl K: pages, objects of the live network, addresses. The network is fetched once, when the palette first opens.
import { get } from "./api.js";
import { h, icon, tenant } from "./dom.js";

const MAX_SHOWN = 12;
let objects = null;

export function startPalette() {
  const dialog = document.getElementById("palette");
  const input = dialog.querySelector("input");
  const open = () => {
    input.value = "";
    dialog.showModal();
    render(dialog, "");
    objects ??= loadObjects().then((loaded) => { objects = loaded; render(dialog, input.value); });
  };
  document.querySelector("[data-palette]")?.addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (dialog.open) dialog.close(); else open();
    }
  });
  input.addEventListener("input", () => render(dialog, input.value));
  dialog.addEventListener("keydown", (event) => onKeydown(event, dialog));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}

async function loadObjects() {
  const intent = await get("live/intent/").catch(() => ({}));
  const entries = [];
  for (const [kind, word] of [["exchanges", "exchange"], ["connectors", "connector"], ["services", "service"]]) {
    for (const item of intent[kind] ?? []) {
      const prefixes = (item.attachments ?? []).flatMap((attachment) => attachment.prefixes ?? []);
      entries.push({ word: item.name, note: [word, ...prefixes].join(" · "), href: `/t/${tenant}/topology/?select=${encodeURIComponent(item.id)}` });
    }
  }
  return entries;
}

function pages() {
  return [...document.querySelectorAll(".cw-navlink")].map((link) => ({ word: link.textContent.trim(), note: "page", href: link.href }));
}

function render(dialog, text) {
  const query = text.trim().toLowerCase();
  const all = [...pages(), ...(Array.isArray(objects) ? objects : [])];
  const matches = all.filter(({ word, note }) => `${word} ${note}`.toLowerCase().includes(query)).slice(0, MAX_SHOWN);
  const options = matches.map(({ word, note, href }, index) =>
    h("li", { role: "option", id: `palette-${index}`, "aria-selected": String(index === 0) },
      h("a", { class: "ms-opt", href, tabindex: "-1" }, icon("arrow-right"), h("span", { class: "grow clip" }, word), h("small", { class: "ink-3 clip" }, note))));
  dialog.querySelector("ul").replaceChildren(...options);
  dialog.querySelector(".cw-none").hidden = matches.length > 0;
  mark(dialog, 0);
}

function mark(dialog, index) {
  const options = [...dialog.querySelectorAll("[role=option]")];
  options.forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
  options[index]?.scrollIntoView({ block: "nearest" });
  dialog.querySelector("input").setAttribute("aria-activedescendant", options[index]?.id ?? "");
}

function onKeydown(event, dialog) {
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
