// In a page under test: sorts of forms into which something can be typed (test_sign_in_again_walk_browser.py).
const TYPED = "input:not([type]), input[type=text], input[type=email], input[type=password], textarea, select";
const PARTS = "form[method=post], form[data-method], form[data-guard], [data-guard]:has(textarea)";
const SIGN_IN = 'a[href^="/accounts/login/"]';

const parts = () => [...document.querySelectorAll(PARTS)];
const submitOf = (part) => part.querySelector("[type=submit]:not([value=cancel])");
const checkOf = () => document.querySelector("#dc-check, #im-check"); // of parts that are no forms
const fieldOf = (part) => [...part.querySelectorAll(TYPED)].find((field) => !field.disabled && !field.readOnly && field.closest(PARTS) === part);

function sortOf(part) {
  const address = part.dataset.url ?? part.getAttribute("action") ?? location.pathname;
  const name = part.id || part.closest("dialog")?.id || part.className;
  return `${part.dataset.method ?? "POST"} ${address.replace(/[0-9a-f-]{36}/g, "{id}")} ${name}`;
}

window.halfTyped = {
  sorts: () => parts().filter((part) => fieldOf(part) && (part.matches("form") || checkOf())).map(sortOf),

  /** Type into the form of this sort and send it. */
  send(sort) {
    const part = parts().find((each) => sortOf(each) === sort && fieldOf(each));
    part.closest("dialog:not([open])")?.showModal();
    for (let above = part.closest("details"); above; above = above.parentElement.closest("details")) above.open = true;
    const field = fieldOf(part);
    field.focus();
    if (field.matches("select")) field.selectedIndex = field.options.length - 1;
    else field.value = "half typed";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dataset.half = field.value;
    part.dataset.policy ??= "00000000-0000-4000-8000-000000000000"; // what is dropped on a policy opens its dialog with it
    part.noValidate = true; // the server is asked whatever else is missing
    if (part.matches("form")) part.requestSubmit(submitOf(part));
    else checkOf().click();
  },

  /** Return whether the person is told, with a link that they can reach, and what they typed is there. */
  isTold() {
    const reachable = document.querySelector("dialog[open]") ?? document;
    const link = [...reachable.querySelectorAll(SIGN_IN)].find((each) => each.checkVisibility());
    const field = document.querySelector("[data-half]");
    return Boolean(link) && document.body.textContent.includes("You were signed out") && field.value === field.dataset.half;
  },

  /** Take away what was said, so that the next form has to say it itself. */
  forget() {
    document.querySelector("[data-half]")?.removeAttribute("data-half");
    document.querySelectorAll(SIGN_IN).forEach((link) => link.closest(".cw-toast, [data-problem]").remove());
    document.querySelector("dialog[open]")?.close();
  },
};
