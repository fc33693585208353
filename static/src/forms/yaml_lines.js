// Where in a YAML document something stands that a problem's path names. Pure.

/** The line (from 0) of `policies[2].rules[0].ports`, or of `policies/web/rules[0].ports`, in the text, or of the nearest
 * thing around it; 0 when nothing fits. */
export function lineOf(text, path) {
  const [, kind, name, rest] = /^([a-z-]+)\/([^/]+)\/?(.*)$/.exec(path) ?? [];
  return kind ? lineIn(text, `${kind}[${indexOf(text, kind, name)}].${rest}`) : lineIn(text, path);
}

// The place in its list of the object that addresses call so: by a slug of its name.
function indexOf(text, kind, slug) {
  const lines = text.split("\n");
  const listed = key(lines, 0, lines.length, -1, kind);
  if (!listed) return -1;
  for (let index = 0; ; index += 1) {
    const object = item(lines, listed[0] + 1, listed[1], index);
    if (!object) return -1;
    const named = /\bname:\s*(["']?)(.*?)\1\s*(?:[,}].*)?$/.exec(lines.slice(object[0], object[1]).find((line) => /\bname:/.test(line)) ?? "");
    if (named && slugOf(named[2]) === slug) return index;
  }
}

const slugOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

function lineIn(text, path) {
  const lines = text.split("\n");
  let [start, end, indent] = [0, lines.length, -1];
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    const block = index === undefined ? key(lines, start, end, indent, name) : item(lines, start, end, Number(index));
    if (!block) return start;
    [start, end, indent] = block;
  }
  return start;
}

const depth = (text) => text.search(/\S/);
const blank = (text) => !text.trim() || text.trim().startsWith("#");

// A key of the mapping that lies in lines at…end, deeper than indent; its own lines end where one is not deeper.
function key(lines, start, end, indent, name) {
  for (let line = start; line < end; line += 1) {
    const match = /^(\s*(?:- )*)(["']?)([^\s"':]+)\2:/.exec(lines[line]);
    if (match && match[3] === name && match[1].length > indent) return [line, after(lines, line, end, match[1].length, false), match[1].length];
  }
  return null;
}

// The nth "- " of the list that lies in lines at…end.
function item(lines, start, end, index) {
  let [dash, count] = [null, -1];
  for (let line = start; line < end; line += 1) {
    if (blank(lines[line]) || !lines[line].trimStart().startsWith("-")) continue;
    dash ??= depth(lines[line]);
    if (depth(lines[line]) !== dash) continue;
    count += 1;
    if (count === index) return [line, after(lines, line, end, dash, true), dash];
  }
  return null;
}

function after(lines, line, end, indent, listed) {
  for (let next = line + 1; next < end; next += 1) {
    if (blank(lines[next])) continue;
    const deep = depth(lines[next]);
    // A list may stand as far left as its key.
    if (deep < indent || (deep === indent && (listed || !lines[next].trimStart().startsWith("- ")))) return next;
  }
  return end;
}
