// Fetches this page again after a change and replaces its parts (`data-part`), but none in which something is half typed.
// Keeps focus and scroll position.
import { leave, unsaved } from "./guard.js";
import { leaveForSignIn } from "./sign_in.js";

let latest = { isLoading: false }; // {keep, isLoading, done}

/**
 * Refresh the page; resolves when it shows what the server answered. `keep` names parts to leave alone, for changes that
 * somebody else made. A request that is overtaken hands on what it would have replaced to the newer one.
 */
export function refresh({ keep = [] } = {}) {
  const request = { keep: latest.isLoading ? keep.filter((id) => latest.keep.includes(id)) : keep, isLoading: true };
  latest = request;
  request.done = load(request).finally(() => { request.isLoading = false; });
  return request.done;
}

async function load(request) {
  const answer = await fetch(location.href, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
  if (answer.status === 401) {
    leaveForSignIn();
    return;
  }
  if (answer.status === 404 || answer.redirected) {
    location.reload();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (latest !== request) {
    await latest.done;
    return;
  }
  const focused = document.activeElement?.id;
  for (const fresh of [...page.querySelectorAll("[data-part]")]) {
    const old = document.getElementById(fresh.id);
    if (!old || isOpen(old) || unsaved(old).length || request.keep.includes(fresh.id)) continue;
    for (const { id } of old.querySelectorAll("details[open][id]")) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    old.replaceWith(document.adoptNode(fresh));
    htmx.process(fresh);
  }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
  document.body.dispatchEvent(new CustomEvent("refreshed"));
}

const isOpen = (part) => part.matches(":popover-open") || part.querySelector("dialog[open], :popover-open");

/**
 * Put the selection into the URL, so that a pasted link shows the same, and show its panel. What is half typed asks first;
 * resolves to whether the selection was made. `more`: what else the panel begins with, such as the ends of a new share.
 */
export async function select(key, more = {}) {
  if (!(await leave())) return false;
  const url = new URL(location.href);
  for (const [name, value] of Object.entries({ from: "", to: "", ...more, select: key })) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  history.replaceState(null, "", url);
  await refresh();
  return true;
}
