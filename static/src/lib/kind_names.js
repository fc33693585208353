// What one object of a kind is called.
const WORDS = { "prefix-lists": "prefix list", "internet-apps": "internet app", "billing-tags": "billing tag", policies: "policy", "nat-rules": "NAT rule", "route-policies": "route policy" };

export const kindName = (kind) => WORDS[kind] ?? kind.replace(/s$/, "");
