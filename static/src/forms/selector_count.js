// Under the selector of a group: whom it selects, while it is typed.
import { get } from "../lib/api.js";

const PAUSE = 250; // milliseconds without a key before the server is asked

export function startSelectorCounts() {
  let timer = 0;
  const ask = ({ target }) => {
    if (!target.matches?.("[data-selector]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => show(target), PAUSE);
  };
  document.addEventListener("input", ask);
  document.addEventListener("focusin", ask);
}

async function show(field) {
  const selector = field.value.trim();
  const status = field.closest("[data-field]").querySelector("[data-selected]");
  const words = selector ? await selected(field, selector) : "";
  if (field.value.trim() === selector) status.textContent = words;
}

async function selected(field, selector) {
  const url = field.form.dataset.url.replace(/groups\/.*$/, "groups/selected/");
  try {
    const { count, connectors } = await get(`${url}?${new URLSearchParams({ selector })}`);
    if (!count) return "Selects nobody.";
    const more = count > connectors.length ? ", …" : "";
    return `Selects ${count} attachment${count === 1 ? "" : "s"}: ${connectors.join(", ")}${more}`;
  } catch (problem) {
    if (problem.status !== 400) throw problem;
    return problem.problems[0].message;
  }
}
