// Light, dark or as the machine says; kept in this browser.
const NEXT = { system: "light", light: "dark", dark: "system" };

export function startThemeToggle() {
  const button = document.querySelector("[data-theme-toggle]");
  if (!button) return;
  const theme = () => localStorage.getItem("theme") ?? "system";
  const label = () => button.setAttribute("aria-label", `Theme: ${theme()}`);
  button.addEventListener("click", () => {
    localStorage.setItem("theme", NEXT[theme()]);
    dispatchEvent(new Event("cw:theme"));
    label();
  });
  label();
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
