// Plan review: buttons call the API; a refusal is shown on the page, with the reason and what to do.
import { h, icon } from "./lib/dom.js";
import { startForms } from "./forms/submit.js";

startForms();
document.body.addEventListener("saved", () => location.reload());

// A plan that is still being computed: the page reloads when the socket reports it, and every four seconds.
const computing = document.querySelector("[data-computing]");
if (computing) {
  const since = computing.querySelector("[data-since]");
  const showElapsed = () => { since.textContent = `${Math.max(0, Math.round((Date.now() - Date.parse(since.dataset.since)) / 1000))} s so far.`; };
  showElapsed();
  setInterval(showElapsed, 1000);
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
  const steps = [...document.querySelectorAll(`${button.dataset.expand} details, ${button.dataset.expand} ~ details, ${button.dataset.expand} ~ details details`)];
  const closed = steps.some(({ open }) => !open);
  steps.forEach((step) => { step.open = closed; });
  button.textContent = closed ? "Collapse all" : "Expand all";
});

// The tab of the part that is being read.
const tabs = [...document.querySelectorAll(".cw-tabs .nav-link")];
const watcher = new IntersectionObserver((entries) => {
  const top = entries.find(({ isIntersecting }) => isIntersecting);
  if (!top) return;
  for (const tab of tabs) {
    const isCurrent = tab.hash === `#${top.target.id}`;
    tab.classList.toggle("active", isCurrent);
    if (isCurrent) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
}, { rootMargin: "-10% 0px -70% 0px" });
tabs.forEach((tab) => watcher.observe(document.querySelector(tab.hash)));
