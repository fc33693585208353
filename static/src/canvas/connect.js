// The same without dragging: press the icon of a card (or P on it), then the other card; press a product, then a policy.
// Arrow keys go from card to card. One card or product is picked up at a time; Escape cancels.
import { neighbour } from "./geometry.js";

/** What a policy can end at: a card, a connector's row in the card of an exchange, or a whole segment. */
export const ENDS = "[data-ref], .cv-lane > header";

export function startConnect({ stage, drop, say }) {
  let picked = null;

  const release = (words = "") => {
    if (!picked) return;
    picked.classList.remove("is-picked");
    grip(picked)?.setAttribute("aria-pressed", "false");
    document.body.classList.remove("is-connecting");
    picked = null;
    say(words);
  };

  function pick(source) {
    const isSame = picked === source;
    release(isSame ? "Cancelled." : "");
    if (isSame) return;
    picked = source;
    source.classList.add("is-picked");
    grip(source)?.setAttribute("aria-pressed", "true");
    document.body.classList.add("is-connecting");
    say(source.matches(".cv-product")
      ? `${source.dataset.name} picked up. Choose the policy to inspect. Escape cancels.`
      : `Policy from ${source.dataset.name}: choose where to, with the pointer or the arrow keys and Enter. Escape cancels.`);
  }

  // In the capture phase: while something is picked up, a click chooses its target and nothing else handles it.
  document.addEventListener("click", (event) => {
    const product = event.target.closest(".cv-product");
    const start = event.target.closest("[data-connect]");
    if (picked) {
      const target = picked.matches(".cv-product") ? event.target.closest(".cv-chip") : event.target.closest(ENDS);
      if (target && target !== picked) {
        event.preventDefault();
        event.stopImmediatePropagation();
        const source = picked;
        release();
        drop(source, target);
        return;
      }
    }
    if (product) pick(product);
    else if (start) {
      event.stopImmediatePropagation();
      pick(start.closest("[data-ref]"));
    }
  }, true);

  stage.addEventListener("keydown", (event) => {
    const card = event.target.closest("[data-ref]");
    if (!event.key.startsWith("Arrow") || !event.target.closest(".cv-card, .cv-chip")) return;
    const cards = [...stage.querySelectorAll("[data-ref]")];
    const rect = (card ?? event.target).getBoundingClientRect();
    const next = cards[neighbour(rect, cards.map((other) => other.getBoundingClientRect()), event.key)];
    if (!next) return;
    event.preventDefault();
    next.querySelector(".cv-plain").focus();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !picked || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    release("Cancelled. Nothing changed.");
  }, true);

  return { pick: (card) => card && pick(card), release };
}

const grip = (source) => source.querySelector("[data-connect]");
