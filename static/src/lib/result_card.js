// The next step of a page that tries before it writes: a card whose heading takes the focus.
import { h } from "./dom.js";

export function resultCard(title, ...children) {
  return h("section", { class: "card" }, h("div", { class: "card-header" }, h("h2", { tabindex: "-1" }, title)), h("div", { class: "card-body" }, ...children));
}

/** Show cards in place of those before; the first one's heading is focused. */
export function showResult(result, ...cards) {
  result.replaceChildren(...cards);
  cards[0].querySelector("h2").focus();
}
