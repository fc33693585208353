// One guard for everything that is half typed: forms that write, and what carries data-guard="name of what is edited".
// It asks before another card, a link, a fragment, Escape or Cancel would drop what was typed; for a reload, Back and a
// closed tab the browser asks in its own words.
import { confirm } from "./behaviours.js";

const GUARDED = "form[method=post], form[data-method], [data-guard]";
const originals = new WeakMap(); // element → a copy of it as it was when it was first touched

export function startGuard() {
  for (const first of ["focusin", "pointerdown", "keydown", "input"]) {
    document.addEventListener(first, ({ target }) => remember(target), { capture: true, passive: true });
  }
  // On the window, after a page's own listeners on the document.
  window.addEventListener("submit", (event) => { if (!event.defaultPrevented) release(event.target); });
  window.addEventListener("beforeunload", (event) => { if (unsaved().length) event.preventDefault(); });
  window.addEventListener("click", guardLink);
  document.addEventListener("cancel", guardDialog, true);
  document.addEventListener("close", ({ target }) => guardedIn(target).forEach(release), true);
  document.body.addEventListener("htmx:confirm", guardFragment);
}

/** The guarded elements in `root` that hold something else than they were rendered with. */
export const unsaved = (root = document) => guardedIn(root).filter((element) => originals.has(element) && content(element) !== content(originals.get(element)));

/** A copy of a form as it was rendered. */
export const original = (form) => originals.get(form) ?? form;

/** What a form holds is saved, or given up. */
export const release = (form) => originals.delete(form);

/** Ask whether what is half typed in `root` may be dropped. Resolves to true where nothing is lost, or the person agreed. */
export async function leave(root = document) {
  const lost = unsaved(root);
  if (!lost.length) return true;
  const names = [...new Set(lost.map(nameOf).filter(Boolean))];
  const question = `Discard unsaved changes${names.length ? ` to ${names.join(" and ")}` : ""}?`;
  if (!(await confirm(question, "Discard changes", { refuse: "Keep editing" }))) return false;
  lost.forEach(release);
  return true;
}

const nameOf = (element) => element.dataset.guard || element.closest("dialog")?.querySelector("h2")?.textContent.trim().replace(/\s+/g, " ");

function guardedIn(root) {
  const within = [...root.querySelectorAll(GUARDED)];
  return root.matches?.(GUARDED) ? [root, ...within] : within;
}

function remember(target) {
  const element = target.closest?.(GUARDED);
  if (element && !originals.has(element)) originals.set(element, element.cloneNode(true));
}

function content(element) {
  const fields = [...element.querySelectorAll("input, select, textarea")].filter(({ name }) => name !== "csrfmiddlewaretoken");
  return JSON.stringify(fields.map(({ name, type, value, checked }) => [name, type === "checkbox" || type === "radio" ? checked : value]));
}

async function guardLink(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const staysHere = link.target || link.hasAttribute("download") || (link.hash && link.pathname === location.pathname && link.search === location.search);
  if (staysHere || !unsaved().length) return;
  event.preventDefault();
  if (await leave()) location.assign(link.href);
}

async function guardDialog(event) {
  const dialog = event.target;
  if (!unsaved(dialog).length) return;
  event.preventDefault();
  if (await leave(dialog)) dialog.close();
}

async function guardFragment(event) {
  const { elt, target, issueRequest } = event.detail;
  if (!target || !unsaved(target).some((element) => !element.contains(elt))) return;
  event.preventDefault();
  if (await leave(target)) issueRequest(true);
}
