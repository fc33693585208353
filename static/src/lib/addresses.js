// IPv4 and IPv6 addresses and prefixes as numbers. Pure.
const V4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/** Return {bits, value} of an address, null for any other text. */
export function parseAddress(text) {
  if (V4.test(text)) {
    const bytes = text.split(".").map(Number);
    return bytes.some((byte) => byte > 255) ? null : { bits: 32, value: bytes.reduce((value, byte) => value * 256n + BigInt(byte), 0n) };
  }
  const halves = text.split("::");
  if (!text.includes(":") || halves.length > 2) return null;
  const [head, tail] = halves.map((half) => (half ? half.split(":") : []));
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...(tail ? [...Array(missing).fill("0"), ...tail] : [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return { bits: 128, value: groups.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n) };
}

/** Return the length of `prefix` where it holds `address` (of parseAddress), else -1. */
export function prefixMatch(prefix, address) {
  const [network, length] = prefix.split("/");
  const own = parseAddress(network);
  if (!own || own.bits !== address.bits) return -1;
  const shift = BigInt(own.bits - Number(length ?? own.bits));
  return own.value >> shift === address.value >> shift ? Number(length ?? own.bits) : -1;
}
