// Short notices. A success disappears after some seconds; a failure stays until it is dismissed.
import { h, icon, problemLocation, signInAddress } from "./dom.js";

const STAY = { ok: 5000, info: 8000, warn: 0, bad: 0 };
const MOST = 4;
const LEVELS = { success: "ok", info: "info", debug: "info", warning: "warn", error: "bad" };

/** `points` are further lines: {text, href, target}. */
export function toast(tone, text, points = []) {
  const mark = { ok: icon("circle-check"), info: icon("info-circle"), warn: icon("alert-triangle"), bad: icon("circle-x") }[tone];
  const close = h("button", { class: "cw-iconbtn", type: "button", "aria-label": "Dismiss", "data-dismiss": true }, icon("x"));
  const lines = points.map((point) => h("li", {}, point.href ? h("a", { href: point.href, target: point.target ?? null }, point.text) : point.text));
  const words = h("div", { class: "cw-message" }, h("p", {}, text), lines.length ? h("ul", {}, ...lines) : null);
  const element = h("div", { class: `cw-toast is-${tone}`, role: tone === "bad" ? "alert" : null }, mark, words, close);
  document.getElementById("toasts").append(element);
  leave(element, tone);
}

/** Load the page again and show a notice then. */
export function toastAfterLoad(tone, text) {
  sessionStorage.setItem("toast", JSON.stringify([tone, text]));
  location.reload();
}

/** Show a Problem of lib/api.js: what happened, then its reasons, each with a link to its object. */
export function toastProblem(problem) {
  const reasons = (problem.problems ?? []).filter(({ message }) => message !== problem.message);
  const points = reasons.slice(0, MOST).map(({ message, path }) => ({ text: message, href: problemLocation(path) }));
  if (problem.status === 401) points.push({ text: "Sign in", href: signInAddress(), target: "_blank" });
  if (reasons.length > MOST) points.push({ text: `and ${reasons.length - MOST} more` });
  toast("bad", problem.message, points);
}

function leave(element, tone) {
  if (STAY[tone]) setTimeout(() => element.matches(":hover, :focus-within") || element.remove(), STAY[tone]);
}

export function startToasts() {
  const region = document.getElementById("toasts");
  region.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".cw-toast").remove());
  for (const element of region.querySelectorAll("[data-toast]")) leave(element, LEVELS[element.dataset.toast.split(" ").pop()] ?? "info");
  const waiting = sessionStorage.getItem("toast");
  sessionStorage.removeItem("toast");
  if (waiting) toast(...JSON.parse(waiting));
  // The server speaks through HX-Trigger: {"toast": {"tone": "ok", "text": "…"}}.
  document.body.addEventListener("toast", ({ detail }) => toast(detail.tone ?? "info", detail.text));
  document.body.addEventListener("htmx:responseError", ({ detail }) => toast("bad", `The server answered ${detail.xhr.status}. Reload the page and try again.`));
  document.body.addEventListener("htmx:sendError", () => toast("bad", "The portal did not answer. Nothing was changed; try again."));
}
