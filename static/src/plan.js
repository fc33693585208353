// Plan review: buttons through the API; a refusal is shown on the page, with what moved and what to do.
import { h, icon } from "./lib/dom.js";
import { startForms } from "./forms/submit.js";

startForms();
document.body.addEventListener("saved", () => location.reload());

// A plan that is still being computed: its page comes again when the socket says so, or after a while.
const computing = document.querySelector("[data-computing]");
if (computing) {
  const since = computing.querySelector("[data-since]");
  const told = () => { since.textContent = `${Math.max(0, Math.round((Date.now() - Date.parse(since.dataset.since)) / 1000))} s so far.`; };
  told();
  setInterval(told, 1000);
  setInterval(() => location.reload(), 4000);
  document.body.addEventListener("changed:plan", ({ detail }) => { if (detail.id === computing.dataset.computing) location.reload(); });
}

document.body.addEventListener("refused", (event) => {
  event.preventDefault();
  const { problem } = event.detail;
  const note = h("div", { class: "cw-note is-bad", role: "alert", tabindex: "-1" }, icon("alert-triangle"),
    h("div", {}, h("b", {}, problem.message), ...problem.problems.map(({ message, path }) => h("p", {}, message, path ? h("span", { class: "mono ink-2" }, ` ${path}`) : null))));
  document.getElementById("refused").replaceChildren(note);
  note.focus();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-expand]");
  if (!button) return;
  const all = [...document.querySelectorAll(`${button.dataset.expand} details, ${button.dataset.expand} ~ details, ${button.dataset.expand} ~ details details`)];
  const closed = all.some(({ open }) => !open);
  all.forEach((one) => { one.open = closed; });
  button.textContent = closed ? "Fold all" : "Expand all";
});

// The tab of the part that is being read.
const tabs = [...document.querySelectorAll(".cw-tabs .nav-link")];
const watcher = new IntersectionObserver((entries) => {
  const top = entries.find(({ isIntersecting }) => isIntersecting);
  if (!top) return;
  for (const tab of tabs) {
    const here = tab.hash === `#${top.target.id}`;
    tab.classList.toggle("active", here);
    if (here) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
}, { rootMargin: "-10% 0px -70% 0px" });
tabs.forEach((tab) => watcher.observe(document.querySelector(tab.hash)));
