// A run as it goes: fetched again when the socket names it, or every two seconds while the socket is lost.
import { link } from "./lib/socket.js";
import { startForms } from "./forms/submit.js";

const page = () => document.getElementById("run");
let busy = false;
let again = false;

startForms();
document.body.addEventListener("saved", show);
document.body.addEventListener("changed", ({ detail }) => {
  if (detail.what === "everything" || (detail.what === "run" && (!detail.id || detail.id === page().dataset.run))) show();
});
setInterval(() => {
  if ("going" in page().dataset && (!link.live || Date.now() - shown > 5000)) show();
}, 2000);
let shown = Date.now();

// One request at a time; what a person opened or closed stays so, and so does the focus.
async function show() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  const answer = await fetch(location.href, { headers: { "HX-Request": "true" }, credentials: "same-origin" }).catch(() => null);
  if (answer?.ok) {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("run");
    const folded = new Map([...page().querySelectorAll("details[id][data-touched]")].map(({ id, open }) => [id, open]));
    const focused = document.activeElement?.closest("[id]")?.id;
    page().replaceWith(document.adoptNode(fresh));
    for (const [id, open] of folded) {
      const place = document.getElementById(id);
      if (place) Object.assign(place, { open }).dataset.touched = "";
    }
    if (focused) document.getElementById(focused)?.querySelector("summary, button")?.focus({ preventScroll: true });
    shown = Date.now();
  }
  busy = false;
  if (again) {
    again = false;
    show();
  }
}

document.addEventListener("click", (event) => {
  const place = event.target.closest("summary")?.parentElement;
  if (place) place.dataset.touched = "";
});
