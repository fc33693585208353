// Ctrl K: actions, pages, objects of the live network by name or by an address that their prefixes hold. The network is
// fetched once, when the palette first opens. An entry has a word, a note, and an href or what it runs.
import { parseAddress, prefixMatch } from "./addresses.js";
import { get } from "./api.js";
import { setTheme } from "./display_toggles.js";
import { h, icon, tenant } from "./dom.js";
import { kindName } from "./kind_names.js";

const MAX_SHOWN = 12;
const DRAWN_KINDS = ["exchanges", "connectors", "services"]; // on the topology; others are listed
const KINDS = [...DRAWN_KINDS, "segments", "groups", "policies", "prefix-lists", "port-lists"];
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
  return KINDS.flatMap((kind) => (intent[kind] ?? []).map((item) => {
    const prefixes = [...(item.prefixes ?? []), ...(item.attachments ?? []).flatMap((attachment) => attachment.prefixes ?? []), ...(item.entries ?? []).map((entry) => entry.prefix)];
    const page = DRAWN_KINDS.includes(kind) ? "topology/" : `network/${kind}/`;
    return { word: item.name, note: [kindName(kind), ...prefixes].join(" · "), prefixes, href: `/t/${tenant}/${page}?select=${encodeURIComponent(item.id)}` };
  }));
}

function pages() {
  return [...document.querySelectorAll(".cw-navlink")].map((link) => ({ word: link.textContent.trim(), note: "page", href: link.href }));
}

function actions() {
  const draft = document.querySelector("#draft-bar [data-draft]")?.dataset.draft;
  return [
    ...(document.getElementById("draft-bar") ? [{ word: "New draft", note: "action", href: `/t/${tenant}/design/#new-draft` }] : []),
    ...(draft ? [{ word: "Central egress", note: "action in the draft", href: `/t/${tenant}/design/${draft}/central-egress/` }] : []),
    { word: "Trace a flow", note: "action", href: `/t/${tenant}/trace/` },
    ...["dark", "light", "system"].map((theme) => ({ word: `Theme: ${theme}`, note: "action", run: () => setTheme(theme) })),
  ];
}

function search(text) {
  const query = text.trim().toLowerCase();
  const named = [...pages(), ...actions(), ...(Array.isArray(objects) ? objects : [])].filter(({ word, note }) => `${word} ${note}`.toLowerCase().includes(query));
  const address = parseAddress(query);
  return (address ? [...holders(address), traceFrom(query)] : named).slice(0, MAX_SHOWN);
}

// The objects whose prefixes hold an address, the longest prefix first.
function holders(address) {
  const match = ({ prefixes }) => Math.max(-1, ...prefixes.map((prefix) => prefixMatch(prefix, address)));
  return (Array.isArray(objects) ? objects : []).map((entry) => ({ entry, length: match(entry) }))
    .filter(({ length }) => length >= 0).sort((a, b) => b.length - a.length).map(({ entry }) => entry);
}

const traceFrom = (address) => ({ word: `Trace from ${address}`, note: "action", href: `/t/${tenant}/trace/?from=${encodeURIComponent(address)}` });

function render(dialog, text) {
  const options = search(text).map(({ word, note, href, run }, index) => {
    const row = [icon("arrow-right"), h("span", { class: "grow clip" }, word), h("small", { class: "ink-3 clip" }, note)];
    const entry = href ? h("a", { class: "ms-opt", href, tabindex: "-1" }, row) : h("button", { class: "ms-opt", type: "button", tabindex: "-1" }, row);
    entry.addEventListener("click", () => {
      dialog.close();
      run?.();
    });
    return h("li", { role: "option", id: `palette-${index}`, "aria-selected": String(index === 0) }, entry);
  });
  dialog.querySelector("ul").replaceChildren(...options);
  const none = dialog.querySelector(".cw-none");
  none.hidden = options.length > 0;
  none.textContent = `No results for “${text.trim()}”.`;
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
    options[at]?.querySelector(".ms-opt").click();
  }
}
