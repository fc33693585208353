import assert from "node:assert/strict";
import test from "node:test";

import { draftWithNetwork } from "../src/topology/first_edits.js";

const site = (name, peers) => ({ name, attachments: [{ prefixes: ["10.1.0.0/24"] }], settings: { peer_addresses: peers } });
const typed = (kind, peers) => ({ name: "first-network", kind, edits: [{ location: "aws-eu-central-1" }, { name: "corp" }, site("site-a", peers), site("site-b", peers)] });

test("both sites are at the new exchange and in the new segment", () => {
  const { name, edits } = draftWithNetwork(typed("lab-site", null), "frankfurt");
  assert.equal(name, "first-network");
  assert.deepEqual(edits.map(({ kind }) => kind), ["exchanges", "segments", "connectors", "connectors"]);
  assert.deepEqual(edits[0].body, { name: "frankfurt", location: "aws-eu-central-1" });
  assert.deepEqual(edits[3].body, { name: "site-b", kind: "lab-site", exchange: "frankfurt", attachments: [{ prefixes: ["10.1.0.0/24"], segment: "corp" }] });
});

test("only a kind that has a device sends the addresses of one", () => {
  const { edits } = draftWithNetwork(typed("ipsec-site", ["198.51.100.7"]), "frankfurt");
  assert.deepEqual(edits[2].body.settings, { peer_addresses: ["198.51.100.7"] });
});
