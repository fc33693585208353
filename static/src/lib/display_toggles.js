// Light, dark or as the machine says; kept in this browser.
const NEXT = { system: "light", light: "dark", dark: "system" };

const theme = () => localStorage.getItem("theme") ?? "system";
const toggle = () => document.querySelector("[data-theme-toggle]");

export function startThemeToggle() {
  toggle()?.addEventListener("click", () => setTheme(NEXT[theme()]));
  label();
}

export function setTheme(name) {
  localStorage.setItem("theme", name);
  dispatchEvent(new Event("cw:theme"));
  label();
}

function label() {
  toggle()?.setAttribute("aria-label", `Theme: ${theme()}`);
}

// Two densities, kept in this browser too; type never changes with them.
export function startDensityToggle() {
  const button = document.querySelector("[data-density-toggle]");
  if (!button) return;
  const compact = () => document.documentElement.dataset.density === "compact";
  button.setAttribute("aria-pressed", String(compact()));
  button.addEventListener("click", () => {
    localStorage.setItem("density", compact() ? "comfortable" : "compact");
    dispatchEvent(new Event("cw:theme"));
    button.setAttribute("aria-pressed", String(compact()));
  });
}
