// node build.mjs [--watch]: src/ becomes build/, which is all that is served.
//   src/*.js      one module per page, shared code split off      -> build/*.js
//   src/css/main.css  Tabler in its layer, then ours, fonts beside -> build/causeway.css
//   icons         only those that templates, scripts and Python name -> build/icons.svg
//   world         coastlines and borders, 110 m                    -> build/world.json
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const repo = resolve(here, "..");
const src = join(here, "src");
const out = join(here, "build");
const modules = join(here, "node_modules");

// An icon is named as {% icon "x" %}, icon("x") or icon="x" (icon: "x"); anything else cannot be found here.
const ICON = /\bicon\w*\s*[=:(]?\s*["']((?!icon-)[a-z][a-z0-9-]*)["']/g;
const SOURCES = [[join(repo, "templates"), ".html"], [src, ".js"], [join(repo, "portal"), ".py"]];

function* files(folder, extension) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && extname(entry.name) === extension) yield join(entry.parentPath ?? entry.path, entry.name);
  }
}

function sprite() {
  const names = new Set();
  for (const [folder, extension] of SOURCES) {
    for (const file of files(folder, extension)) {
      for (const [, name] of readFileSync(file, "utf8").matchAll(ICON)) names.add(name);
    }
  }
  const symbols = [];
  for (const name of [...names].sort()) {
    let drawing;
    try {
      drawing = readFileSync(join(modules, "@tabler/icons/icons/outline", `${name}.svg`), "utf8");
    } catch {
      throw new Error(`No icon "${name}" in @tabler/icons; see templates, static/src and portal for where it is named.`);
    }
    const body = drawing.replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[\s\S]*?>/, "").replace("</svg>", "");
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${body.trim()}</symbol>`);
  }
  writeFileSync(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`);
  return symbols.length;
}

// A manifest storage looks for every file a comment names; maps are not shipped.
function dropSourceMapLines() {
  for (const extension of [".js", ".css"]) {
    for (const file of files(out, extension)) {
      const text = readFileSync(file, "utf8");
      const clean = text.replace(/\/\*# sourceMappingURL=.*?\*\//g, "").replace(/^\/\/# sourceMappingURL=.*$/gm, "");
      if (clean !== text) writeFileSync(file, clean);
    }
  }
}

async function everything() {
  const started = performance.now();
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const pages = readdirSync(src).filter((name) => name.endsWith(".js")).map((name) => join(src, name));
  const common = { bundle: true, minify: true, outdir: out, target: "esnext", logLevel: "warning" };
  await build({ ...common, entryPoints: pages, format: "esm", splitting: true, chunkNames: "chunks/[name]-[hash]" });
  await build({
    ...common,
    entryPoints: [{ in: join(src, "css/main.css"), out: "causeway" }],
    loader: { ".woff2": "file" },
    assetNames: "fonts/[name]",
  });
  cpSync(join(modules, "world-atlas/countries-110m.json"), join(out, "world.json"));
  dropSourceMapLines();
  const icons = sprite();
  console.log(`static/build: ${pages.length} modules, ${icons} icons, ${Math.round(performance.now() - started)} ms`);
}

await everything();
if (process.argv.includes("--watch")) {
  let due;
  const again = () => {
    clearTimeout(due);
    due = setTimeout(() => everything().catch((error) => console.error(error.message)), 80);
  };
  for (const [folder] of SOURCES) watch(folder, { recursive: true }, again);
}
