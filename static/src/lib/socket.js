// One socket a page. It says what changed; the page re-fetches ordinary fragments. Only rates carry numbers.
//   on body: "changed" and "changed:<what>" (detail: the message), for hx-trigger="changed:run from:body"
//            "rates" (detail: {at, edges})
//            "live" (detail: {live: bool, since: Date}), the last one also in `link`
// Reconnects with growing, jittered pauses. After a gap everything may have changed, so it says so.
import { toast } from "./toast.js";

export const link = { live: false, since: new Date() };

const FIRST = 500;
const LONGEST = 15_000;
let pause = FIRST;
let was = false;

export function connect(tenant) {
  const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/t/${tenant}/`;
  const socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    pause = FIRST;
    set(true);
    if (was) say("changed", { type: "changed", what: "everything" });
    was = true;
  });
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "rates") say("rates", message);
    if (message.type === "changed") {
      say("changed", message);
      say(`changed:${message.what}`, message);
    }
  });
  socket.addEventListener("close", ({ code }) => {
    set(false);
    if (code === 4404 || code === 4401) {
      toast("warn", "Live updates are off: this network is no longer open to you. Reload the page.");
      return;
    }
    setTimeout(() => connect(tenant), pause * (0.7 + Math.random() * 0.6));
    pause = Math.min(pause * 2, LONGEST);
  });
}

function set(live) {
  if (live === link.live && was) return;
  link.live = live;
  link.since = new Date();
  say("live", { ...link });
}

function say(name, detail) {
  document.body.dispatchEvent(new CustomEvent(name, { detail }));
}
