// Where in a YAML document something stands that a problem's path names. Pure.

/** The line (from 0) of `policies[2].rules[0].ports` in the text, or of the nearest thing around it; 0 when nothing fits. */
export function lineOf(text, path) {
  const lines = text.split("\n");
  let [at, end, indent] = [0, lines.length, -1];
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    const found = index === undefined ? key(lines, at, end, indent, name) : item(lines, at, end, Number(index));
    if (!found) return at;
    [at, end, indent] = found;
  }
  return at;
}

const depth = (line) => line.search(/\S/);
const blank = (line) => !line.trim() || line.trim().startsWith("#");

// A key of the mapping that lies in lines at…end, deeper than indent; its own lines end where one is not deeper.
function key(lines, at, end, indent, name) {
  for (let place = at; place < end; place += 1) {
    const found = /^(\s*(?:- )*)(["']?)([^\s"':]+)\2:/.exec(lines[place]);
    if (found && found[3] === name && found[1].length > indent) return [place, after(lines, place, end, found[1].length, false), found[1].length];
  }
  return null;
}

// The nth "- " of the list that lies in lines at…end.
function item(lines, at, end, index) {
  let [dash, count] = [null, -1];
  for (let place = at; place < end; place += 1) {
    if (blank(lines[place]) || !lines[place].trimStart().startsWith("-")) continue;
    dash ??= depth(lines[place]);
    if (depth(lines[place]) !== dash) continue;
    count += 1;
    if (count === index) return [place, after(lines, place, end, dash, true), dash];
  }
  return null;
}

function after(lines, place, end, indent, listed) {
  for (let next = place + 1; next < end; next += 1) {
    if (blank(lines[next])) continue;
    const deep = depth(lines[next]);
    // A list may stand as far left as its key.
    if (deep < indent || (deep === indent && (listed || !lines[next].trimStart().startsWith("- ")))) return next;
  }
  return end;
}
