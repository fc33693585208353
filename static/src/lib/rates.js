// Bits per second in the largest unit that fits; the same text as the template filter `rate`.
const UNITS = [["Gb/s", 1e9], ["Mb/s", 1e6], ["kb/s", 1e3]];

export function rate(bits) {
  const [value, unit] = rateParts(bits);
  return unit ? `${value} ${unit}` : value;
}

export function rateParts(bits) {
  if (bits === null || bits === undefined) return ["–", ""];
  for (const [unit, size] of UNITS) {
    if (bits >= size) {
      const value = bits / size;
      return [value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString("en"), unit];
    }
  }
  return [bits.toFixed(0), "b/s"];
}

// Every element that shows rates names its edges and direction: data-rates="id id" data-way="forth|back|both" (forth: into the exchange,
// from the first to the second on a mesh link), and data-part="value|unit" where the two are written apart.
export function writeRates(root, edges) {
  for (const element of root.querySelectorAll("[data-rates]")) {
    const sum = total(edges, element.dataset.rates.split(" ").filter(Boolean), element.dataset.way);
    const [value, unit] = rateParts(sum);
    const text = { value, unit }[element.dataset.part] ?? (unit ? `${value} ${unit}` : value);
    if (element.textContent !== text) element.textContent = text;
  }
}

export function total(edges, ids, way = "both") {
  let sum = null;
  for (const id of ids) {
    const known = edges[id];
    if (!known) continue;
    const [forth, back] = known;
    sum = (sum ?? 0) + (way === "forth" ? forth : way === "back" ? back : forth + back);
  }
  return sum;
}
