// What of the canvas is shown: search, segments and what is opened are in the address, and the server draws it.
import { refresh } from "../lib/refresh.js";

const PAUSE = 250; // milliseconds after the last key

export function startView() {
  const form = document.getElementById("cv-view");
  let waiting = 0;

  function show() {
    clearTimeout(waiting);
    const url = new URL(location.href);
    ["find", "segment"].forEach((name) => url.searchParams.delete(name));
    for (const [name, value] of new FormData(form)) if (value) url.searchParams.append(name, value);
    go(url);
  }

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, PAUSE);
  });
  // Somebody may have typed before this ran.
  if (form.elements.find.value !== form.elements.find.defaultValue) show();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  document.addEventListener("click", (event) => {
    const more = event.target.closest("[data-open-card]");
    if (!more) return;
    event.preventDefault();
    const url = new URL(location.href);
    const card = more.dataset.openCard;
    if (url.searchParams.has("open", card)) url.searchParams.delete("open", card);
    else url.searchParams.append("open", card);
    go(url);
  });
}

function go(url) {
  history.replaceState(null, "", url);
  refresh({ keep: ["cv-side"] });
}
