// The WebSocket of a page. It reports what changed and the page fetches fragments again; only rates carry numbers.
//   on body: "changed" and "changed:<what>" (detail: the message), for hx-trigger="changed:run from:body"
//            "rates" (detail: {at, edges})
//            "presence" (detail: {draft, people}): who else has a page of this page's draft open
//            "live" (detail: {live: bool, since: Date}), the last one also in `liveStatus`
// Reconnects after growing delays with jitter. After a gap anything may have changed, so it reports "everything".
import { toast } from "./toast.js";

export const liveStatus = { live: false, since: new Date() };

const FIRST_DELAY = 500; // milliseconds
const MAX_DELAY = 15_000;
let delay = FIRST_DELAY;
let wasConnected = false;

export function connect(tenant) {
  const { draft } = document.body.dataset;
  const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/t/${tenant}/${draft ? `?draft=${draft}` : ""}`;
  const socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    delay = FIRST_DELAY;
    setLive(true);
    if (wasConnected) dispatch("changed", { type: "changed", what: "everything" });
    wasConnected = true;
  });
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "rates" || message.type === "presence") dispatch(message.type, message);
    if (message.type === "changed") {
      dispatch("changed", message);
      dispatch(`changed:${message.what}`, message);
    }
  });
  socket.addEventListener("close", ({ code }) => {
    setLive(false);
    if (code === 4404 || code === 4401) {
      toast("warn", "Live updates are off: this network is no longer open to you. Reload the page.");
      return;
    }
    setTimeout(() => connect(tenant), delay * (0.7 + Math.random() * 0.6));
    delay = Math.min(delay * 2, MAX_DELAY);
  });
}

function setLive(live) {
  if (live === liveStatus.live && wasConnected) return;
  liveStatus.live = live;
  liveStatus.since = new Date();
  dispatch("live", { ...liveStatus });
}

function dispatch(name, detail) {
  document.body.dispatchEvent(new CustomEvent(name, { detail }));
}
