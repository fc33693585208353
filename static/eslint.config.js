import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["build/", "node_modules/"] },
  js.configs.recommended,
  { languageOptions: { ecmaVersion: 2024, sourceType: "module" } },
  { files: ["src/**/*.js"], languageOptions: { globals: { ...globals.browser, htmx: "readonly" } } },
  { files: ["build.mjs"], languageOptions: { globals: globals.node } },
  { rules: { eqeqeq: ["error", "smart"], "prefer-const": "error", "no-var": "error", "no-console": "off", "no-implied-eval": "error" } },
];
