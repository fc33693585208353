// The time slider: what the map, the tables and the panel show is of the slot under its thumb; at its end they are live.
import { dayAndTime } from "../lib/times.js";

const SETTLED = 150; // milliseconds without a move

export function startTimeline(form, show) {
  const slider = form.querySelector("input");
  const start = Date.parse(form.dataset.start);
  const moment = () => (slider.value === slider.max ? "" : new Date(start + slider.value * form.dataset.seconds * 1000).toISOString());
  const describe = () => slider.setAttribute("aria-valuetext", moment() ? dayAndTime(new Date(moment())) : "now");
  let timer = 0;
  slider.addEventListener("input", () => {
    describe();
    clearTimeout(timer);
    timer = setTimeout(() => show(moment()), SETTLED);
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-now]")) return;
    event.preventDefault();
    slider.value = slider.max;
    describe();
    show("");
    slider.focus();
  });
  describe();
  form.hidden = false;
}
