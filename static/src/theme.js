// A classic script in <head>: the theme is known before the first paint. "system" follows the machine.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = localStorage.getItem("theme") ?? "system";
    root.dataset.bsTheme = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
    root.dataset.density = localStorage.getItem("density") ?? "comfortable";
  };
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("cw:theme", apply);
  apply();
})();
