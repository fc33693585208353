// The draft bar says who else has a page of this draft open.
import { h } from "./dom.js";

const LEAVING = 3000; // milliseconds: who goes from one page of the draft to another is not gone
let here = [];
let timer = 0;

export function startPresence() {
  document.body.addEventListener("presence", ({ detail: { people } }) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      here = people.map((email) => email.split("@")[0]);
      show();
    }, people.length < here.length ? LEAVING : 0);
  });
  for (const replaced of ["htmx:afterSwap", "refreshed"]) document.body.addEventListener(replaced, show);
}

function show() {
  const place = document.getElementById("draft-presence");
  if (!place) return;
  const names = here.length > 2 ? `${here[0]} and ${here.length - 1} others` : here.join(" and ");
  place.hidden = here.length === 0;
  place.replaceChildren(...here.slice(0, 3).map((name) => h("span", { class: "cw-who is-sm is-2", "aria-hidden": "true" }, name.slice(0, 2).toUpperCase())),
    here.length ? `${names} ${here.length > 1 ? "are" : "is"} here too` : "");
}
