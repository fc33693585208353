// Rows selected by check boxes (data-row-box, data-page-box): a click, shift and a click for a range, x and shift x at the
// focused row, all of the page, or all that the list finds. A refresh of the list keeps what is still there.
import { shortcut } from "./shortcuts.js";

/** `list` returns the element around the table, which a refresh replaces; its data-total counts all that match.
 * Returns {ids, size, isAll, selectAll, clear}; `onChange` is called with it. */
export function startSelection(list, onChange) {
  const ids = new Set();
  let [isAll, anchor] = [false, null];
  const boxes = () => [...list().querySelectorAll("[data-row-box]")];
  const total = () => Number(list().dataset.total);
  const selection = {
    ids,
    get isAll() { return isAll; },
    get size() { return isAll ? total() : ids.size; },
    get total() { return total(); },
    selectAll() { setPage(true); isAll = true; show(); },
    clear() { ids.clear(); isAll = false; show(); },
  };

  function show() {
    const all = boxes();
    for (const box of all) {
      box.checked = ids.has(box.value);
      box.closest("tr").classList.toggle("is-chosen", box.checked);
    }
    const ofPage = list().querySelector("[data-page-box]");
    if (ofPage) {
      ofPage.checked = all.length > 0 && all.every(({ checked }) => checked);
      ofPage.indeterminate = !ofPage.checked && ids.size > 0;
    }
    onChange(selection);
  }

  const set = (box, isChosen) => (isChosen ? ids.add(box.value) : ids.delete(box.value));
  const setPage = (isChosen) => boxes().forEach((box) => set(box, isChosen));

  function choose(box, isChosen, isRange) {
    const all = boxes();
    const from = isRange ? all.findIndex(({ value }) => value === anchor) : -1;
    const [low, high] = [from < 0 ? all.indexOf(box) : from, all.indexOf(box)].sort((a, b) => a - b);
    all.slice(low, high + 1).forEach((each) => set(each, isChosen));
    anchor = box.value;
    isAll = false;
    show();
  }

  const chooseFocused = (isRange) => () => {
    const box = document.activeElement?.closest("tr")?.querySelector("[data-row-box]");
    if (box) choose(box, isRange || !box.checked, isRange);
  };
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-row-box]");
    if (box) choose(box, box.checked, event.shiftKey);
    if (!event.target.closest("[data-page-box]")) return;
    isAll = false;
    setPage(event.target.checked);
    show();
  });
  shortcut("x", "Select the focused row", chooseFocused(false));
  shortcut("X", "Select the rows up to the focused one", chooseFocused(true));
  document.body.addEventListener("refreshed", () => {
    const present = new Set(boxes().map(({ value }) => value));
    for (const id of ids) if (!present.has(id)) ids.delete(id);
    if (isAll) setPage(true);
    isAll &&= ids.size > 0;
    show();
  });
  return selection;
}
