// A classic script in <head>: the theme is known before the first paint. "system" follows the machine.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const asked = localStorage.getItem("theme") ?? "system";
    root.dataset.bsTheme = asked === "system" ? (dark.matches ? "dark" : "light") : asked;
    root.dataset.density = localStorage.getItem("density") ?? "comfortable";
  };
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("cw:theme", apply);
  apply();
})();
