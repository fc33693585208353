// Fetches this page again after a change and replaces its parts (`data-part`). Keeps focus and scroll position.
let latestRequest = 0;

/** Refresh the page. `keep` names parts to leave alone, for changes that somebody else made. */
export async function refresh({ keep = [] } = {}) {
  latestRequest += 1;
  const thisRequest = latestRequest;
  const answer = await fetch(location.href, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
  if (answer.status === 404 || answer.redirected) {
    location.reload();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (thisRequest !== latestRequest) return;
  const focused = document.activeElement?.id;
  for (const fresh of [...page.querySelectorAll("[data-part]")]) {
    const old = document.getElementById(fresh.id);
    if (!old || old.querySelector("dialog[open]") || keep.includes(fresh.id)) continue;
    old.replaceWith(document.adoptNode(fresh));
    htmx.process(fresh);
  }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
  document.body.dispatchEvent(new CustomEvent("refreshed"));
}

/** Put the selection into the URL, so that a pasted link shows the same, and show its panel. */
export function select(key, options) {
  const url = new URL(location.href);
  if (key) url.searchParams.set("select", key);
  else url.searchParams.delete("select");
  history.replaceState(null, "", url);
  return refresh(options);
}
