// Dragging with pointer events of our own: a card onto another card (a policy), a product onto a line (inspect).
// A mouse may take a card anywhere, a finger takes it by its icon so that the rest still scrolls.
import { h, s } from "../lib/dom.js";
import { board, onBoard } from "./policy_lines.js";

const THRESHOLD = 6;
const EDGE = 36;

/** `hover(source, x, y)` returns the element that would take the source, or null; `drop(source, x, y)` carries it out. */
export function startDrag({ stage, hover, drop, say }) {
  let drag = null; // {source, pointer, x, y, moved, ghost, target}

  document.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || drag) return;
    const source = dragSource(event);
    if (source) drag = { source, pointer: event.pointerId, x: event.clientX, y: event.clientY, moved: false };
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const [x, y] = [event.clientX, event.clientY];
    if (!drag.moved) {
      if (Math.hypot(x - drag.x, y - drag.y) < THRESHOLD) return;
      drag.moved = true;
      drag.source.classList.add("is-dragged");
      document.body.classList.add("is-dragging");
      drag.ghost = createGhost(drag.source);
      say(`Holding ${drag.source.dataset.name}. Drop it, or press Escape.`);
    }
    event.preventDefault();
    scrollAtEdge(stage, x, y);
    drag.ghost.to(x, y);
    mark(hover(drag.source, x, y));
  });

  document.addEventListener("pointerup", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const { moved, source } = drag;
    const [x, y] = [event.clientX, event.clientY];
    endDrag();
    if (!moved) return;
    // The click that follows a drag must not select what lies under the pointer.
    addEventListener("click", preventClick, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", preventClick, { capture: true }), 0);
    drop(source, x, y);
  });

  document.addEventListener("pointercancel", endDrag);
  document.addEventListener("keydown", (event) => {
    if (drag?.moved && event.key === "Escape") {
      event.preventDefault();
      endDrag();
      say("Cancelled. Nothing changed.");
    }
  }, true);

  function endDrag() {
    if (!drag) return;
    drag.source.classList.remove("is-dragged");
    document.body.classList.remove("is-dragging");
    drag.ghost?.remove();
    mark(null);
    drag = null;
  }

  function mark(target) {
    if (drag.target === target) return;
    drag.target?.classList.remove("is-target");
    target?.classList.add("is-target");
    drag.target = target;
  }
}

function dragSource({ target, pointerType }) {
  const product = target.closest(".cv-product");
  if (product) return product;
  const card = target.closest("#cv[data-edit] [data-ref]");
  return card && (pointerType === "mouse" || target.closest(".cv-grip")) ? card : null;
}

function preventClick(event) {
  event.preventDefault();
  event.stopPropagation();
}

// A dragged card draws a line to the pointer; a dragged product follows it as a chip.
function createGhost(source) {
  if (source.matches(".cv-product")) {
    const chip = h("div", { class: "cv-chip cv-drag-chip is-inspect", "aria-hidden": "true" }, source.dataset.name);
    document.body.append(chip);
    return { remove: () => chip.remove(), to: (x, y) => Object.assign(chip.style, { left: `${x}px`, top: `${y}px` }) };
  }
  const line = s("path", { class: "cv-line cv-drag-line" });
  board().querySelector(".cv-lines").append(line);
  const from = onBoard(source.getBoundingClientRect());
  return {
    remove: () => line.remove(),
    to(left, top) {
      const { left: x, top: y } = onBoard({ left, top });
      const edge = x > from.right ? from.right : x < from.left ? from.left : (from.left + from.right) / 2;
      line.setAttribute("d", `M${edge} ${(from.top + from.bottom) / 2}L${x} ${y}`);
    },
  };
}

function scrollAtEdge(stage, x, y) {
  const at = stage.getBoundingClientRect();
  const step = (near, far) => (near < EDGE && near > 0 ? -12 : far < EDGE && far > 0 ? 12 : 0);
  stage.scrollBy(step(x - at.left, at.right - x), step(y - at.top, at.bottom - y));
}
