// The reasons why a plan was refused, at the top of the panel; each problem links to its object.
import { h, icon, problemLocation } from "./dom.js";

export function showRefusal(place, problem) {
  const list = problem.problems.length ? problem.problems : [{ message: problem.message, path: "" }];
  const notes = list.map(({ message, path }) => h("li", { class: "cw-note is-bad" }, icon("circle-x"),
    h("div", {}, h("p", {}, message), path ? h("div", { class: "mono ink-2" }, problemLocation(path) ? h("a", { href: problemLocation(path) }, path) : path) : null)));
  const box = h("section", { tabindex: "-1", role: "alert" },
    h("div", { class: "cw-problems" }, h("h3", {}, "No plan: ", problem.message), h("ul", {}, ...notes)));
  place.replaceChildren(box);
  box.focus();
  box.scrollIntoView({ block: "nearest" });
}
