// Zoom of the board: buttons, keys, and Ctrl with the wheel. The scale is a custom property of the stage, so it outlives a
// refresh of the board.
import { shortcut } from "../lib/shortcuts.js";

const STEPS = [0.25, 0.33, 0.5, 0.67, 0.8, 0.9, 1, 1.25, 1.5];
let scale = 1;

/** Return how large the board is drawn: 1 is its own size. */
export const zoomScale = () => scale;

/** Start zooming; `draw` is called when the scale has changed. */
export function startZoom(stage, draw) {
  const shown = document.querySelector(".cv-scale");

  function zoomTo(next) {
    const factor = next / scale;
    scale = next;
    stage.style.setProperty("--zoom", String(scale));
    shown.textContent = `${Math.round(scale * 100)} %`;
    stage.scrollTo(stage.scrollLeft * factor, stage.scrollTop * factor);
    draw();
  }

  const actions = {
    in: () => zoomTo(STEPS.find((step) => step > scale) ?? scale),
    out: () => zoomTo(STEPS.findLast((step) => step < scale) ?? scale),
    reset: () => zoomTo(1),
    fit() {
      const { width, height } = stage.querySelector(".cv-board").getBoundingClientRect();
      const whole = Math.min(stage.clientWidth / width, stage.clientHeight / height) * scale;
      zoomTo(Math.min(1, Math.max(STEPS[0], Math.floor(whole * 100) / 100)));
    },
  };
  document.addEventListener("click", (event) => actions[event.target.closest("[data-zoom]")?.dataset.zoom]?.());
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    actions[event.deltaY < 0 ? "in" : "out"]();
  }, { passive: false });
  shortcut("+", "Zoom in", actions.in);
  shortcut("-", "Zoom out", actions.out);
  shortcut("0", "Fit the whole network", actions.fit);
  shortcut("1", "Actual size", actions.reset);
}
