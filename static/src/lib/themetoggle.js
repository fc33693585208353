// Light, dark or as the machine says; kept in this browser.
const NEXT = { system: "light", light: "dark", dark: "system" };

export function startThemeToggle() {
  const button = document.querySelector("[data-theme-toggle]");
  if (!button) return;
  const asked = () => localStorage.getItem("theme") ?? "system";
  const label = () => button.setAttribute("aria-label", `Theme: ${asked()}`);
  button.addEventListener("click", () => {
    localStorage.setItem("theme", NEXT[asked()]);
    dispatchEvent(new Event("cw:theme"));
    label();
  });
  label();
}
