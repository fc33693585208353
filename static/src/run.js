// A run in progress: fetched again when the socket reports a change, and every two seconds while the socket is down.
import { liveStatus } from "./lib/socket.js";
import { startForms } from "./forms/submit.js";

const page = () => document.getElementById("run");
let busy = false;
let isStale = false;

startForms();
document.body.addEventListener("saved", show);
document.body.addEventListener("changed", ({ detail }) => {
  if (detail.what === "everything" || (detail.what === "run" && (!detail.id || detail.id === page().dataset.run))) show();
});
setInterval(() => {
  if ("going" in page().dataset && (!liveStatus.live || Date.now() - shown > 5000)) show();
}, 2000);
let shown = Date.now();

// One request at a time. Keeps the focus, and what a person opened or closed.
async function show() {
  if (busy) {
    isStale = true;
    return;
  }
  busy = true;
  const response = await fetch(location.href, { headers: { "HX-Request": "true" }, credentials: "same-origin" }).catch(() => null);
  if (response?.ok) {
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("run");
    const folded = new Map([...page().querySelectorAll("details[id][data-touched]")].map(({ id, open }) => [id, open]));
    const focused = document.activeElement?.closest("[id]")?.id;
    page().replaceWith(document.adoptNode(fresh));
    for (const [id, open] of folded) {
      const details = document.getElementById(id);
      if (details) Object.assign(details, { open }).dataset.touched = "";
    }
    if (focused) document.getElementById(focused)?.querySelector("summary, button")?.focus({ preventScroll: true });
    shown = Date.now();
  }
  busy = false;
  if (isStale) {
    isStale = false;
    show();
  }
}

document.addEventListener("click", (event) => {
  const details = event.target.closest("summary")?.parentElement;
  if (details) details.dataset.touched = "";
});
