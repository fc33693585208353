// When the session is over in the middle of a page, what is typed stays: a link opens sign-in in another tab, and when the
// person comes back the page goes on in the new session, whose CSRF token is another one.
import { h, signInAddress } from "./dom.js";
import { unsaved } from "./guard.js";
import { toast } from "./toast.js";

export const SIGNED_OUT = "You were signed out. What you typed is still here: sign in, come back and send it again.";
let isOver = false;

export const signInLink = () => h("a", { href: signInAddress(), target: "_blank" }, "Sign in");

export function startSignIn() {
  document.body.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.status !== 401 || !unsaved().length) return; // else htmx follows HX-Redirect
    event.preventDefault();
    tellSignedOut();
  });
  document.body.addEventListener("signed-out", () => { isOver = true; });
  document.addEventListener("submit", checkSession);
  window.addEventListener("focus", () => isOver && takeOverSession());
}

/** Answer a request of a script that met the end of the session. */
export function leaveForSignIn() {
  if (unsaved().length) tellSignedOut();
  else location.assign(signInAddress());
}

function tellSignedOut() {
  if (!document.querySelector('.cw-toast a[href^="/accounts/login/"]')) toast("bad", SIGNED_OUT, [{ text: "Sign in", href: signInAddress(), target: "_blank" }]);
  isOver = true;
}

/** A form that the browser sends by itself would end on the login page with nothing of what was typed. */
async function checkSession(event) {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("method") !== "post" || form.dataset.method || form.dataset.checked) return;
  event.preventDefault();
  const { submitter } = event;
  const status = await fetch("/api/v1/me/", { credentials: "same-origin" }).then((answer) => answer.status, () => 0);
  if (status === 401) {
    tellSignedOut();
    return;
  }
  form.dataset.checked = form.dataset.confirmed = "yes";
  form.requestSubmit(submitter);
  delete form.dataset.checked;
  delete form.dataset.confirmed;
}

async function takeOverSession() {
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const { content } = page.querySelector('meta[name="csrf-token"]');
  document.querySelector('meta[name="csrf-token"]').content = content;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": content }));
  document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((input) => { input.value = content; });
  document.querySelectorAll('a[href^="/accounts/login/"]').forEach((link) => link.closest(".cw-toast, [data-problem]")?.remove());
  isOver = false;
  toast("ok", "You are signed in again.");
}
