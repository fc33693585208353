// Popovers are placed at the button that opened them; the navigation is a drawer on phones; lists filter while typing.
export function startMenus() {
  document.addEventListener("toggle", positionMenu, true);
  document.addEventListener("input", filterList);
  document.addEventListener("keydown", onArrowKey);
  const menu = document.querySelector("[data-menu]");
  const nav = document.getElementById("nav");
  menu?.addEventListener("click", () => setDrawer(menu, nav, !nav.hasAttribute("data-open")));
  document.addEventListener("click", (event) => {
    if (nav?.hasAttribute("data-open") && !nav.contains(event.target) && !menu.contains(event.target)) setDrawer(menu, nav, false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && nav?.hasAttribute("data-open")) {
      setDrawer(menu, nav, false);
      menu.focus();
    }
  });
}

function setDrawer(menu, nav, open) {
  nav.toggleAttribute("data-open", open);
  menu.setAttribute("aria-expanded", String(open));
  if (open) nav.querySelector("a, button")?.focus();
}

function positionMenu(event) {
  const menu = event.target;
  if (!(menu instanceof HTMLElement) || !menu.matches("[popover].cw-pop") || event.newState !== "open") return;
  const opener = document.querySelector(`[popovertarget="${menu.id}"]`);
  const from = opener.getBoundingClientRect();
  const width = menu.offsetWidth;
  menu.style.top = `${Math.max(8, Math.min(from.bottom + 4, innerHeight - menu.offsetHeight - 8))}px`;
  menu.style.left = `${Math.max(8, Math.min(from.left + width > innerWidth - 8 ? from.right - width : from.left, innerWidth - width - 8))}px`;
  menu.querySelector("input")?.focus();
}

function filterList(event) {
  const selector = event.target.dataset?.filter;
  if (!selector) return;
  const query = event.target.value.trim().toLowerCase();
  let shown = 0;
  for (const item of document.querySelectorAll(selector)) {
    item.hidden = !item.textContent.toLowerCase().includes(query);
    if (!item.hidden) shown += 1;
  }
  const none = event.target.closest("[popover], section, main")?.querySelector("[data-filter-none]");
  if (none) none.hidden = shown > 0;
}

// The up and down keys move through the choices of an open menu.
function onArrowKey(event) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const menu = document.activeElement?.closest("[popover].cw-pop");
  if (!menu) return;
  const stops = [...menu.querySelectorAll("a, button, input[type=search]")].filter((stop) => stop.offsetParent);
  const at = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  stops[(at + stops.length) % stops.length]?.focus();
  event.preventDefault();
}
