// Merges what a person typed with what was saved meanwhile, field by field, as the server does in a rebase
// (provisioning/core/formats/three_way_merge.py): objects by their fields, lists of named objects by name.
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isNamedList = (value) => Array.isArray(value) && value.length > 0 && value.every((item) => isObject(item) && item.name) && new Set(value.map(({ name }) => name)).size === value.length;
const isEqual = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Return {merged, taken, conflicts}: `taken` are the paths that only they changed, `conflicts` {path, mine, theirs} what
 * both changed to different values. There `take(path)` is "theirs" for theirs; mine stays else. */
export function merge(base, mine, theirs, take = () => "mine") {
  const taken = [];
  const conflicts = [];
  const values = (path, was, my, their) => {
    if (isEqual(their, was) || isEqual(my, their)) return my;
    if (isEqual(my, was)) {
      taken.push(path);
      return their;
    }
    if (isObject(my) && isObject(their)) return fields(path, was, my, their);
    if ([was, my, their].every(isNamedList)) return named(path, was, my, their);
    conflicts.push({ path, mine: my, theirs: their });
    return take(path) === "theirs" ? their : my;
  };
  const fields = (path, was, my, their) => {
    const keys = new Set([...Object.keys(my), ...Object.keys(their)]);
    const entries = [...keys].map((key) => [key, values(path ? `${path}.${key}` : key, was?.[key], my[key], their[key])]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  };
  const named = (path, ...lists) => {
    const [was, my, their] = lists.map((list) => new Map(list.map((item) => [item.name, item])));
    const names = new Set([...my.keys(), ...their.keys()]);
    return [...names].map((name) => values(`${path}[${name}]`, was.get(name), my.get(name), their.get(name))).filter((item) => item !== undefined);
  };
  return { merged: fields("", base, mine, theirs), taken, conflicts };
}
