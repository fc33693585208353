"""Put an NftTable into the kernel as one nftables transaction.

Counters that stay are never touched; a chain is refilled in the same transaction that refers to it, so a
packet meets either the old table or the new one. That holds for rules, not for what is in sets: while elements are
exchanged a look-up may miss both the old and the new. So a set is named by its content and never changed, and what no
rule refers to any more goes in a second transaction, when no packet can be among the old rules.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Mapping

from provisioning.agent.desired import NftTable
from provisioning.agent.netns import in_netns

TABLE_NAME = "inet causeway"
SET_REFERENCE = re.compile(r"@(\w+)")


class NftError(Exception):
    """nft did not take the table; the message is nft's own."""


def render_transaction(rules: NftTable, present: Mapping[str, set[str]]) -> str:
    """Return the whole text. ``present``: kind (chain, set, map, counter) → names in the kernel."""
    names = {name: _kernel_name(rules, name) for name in rules.sets}
    lines = [f"add table {TABLE_NAME}", f"flush table {TABLE_NAME}"]
    lines += [f"add counter {TABLE_NAME} {name}" for name in sorted(rules.counters)]
    for name, declaration in sorted(rules.sets.items()):
        kind, _, rest = declaration.partition(" ")
        if names[name] not in present[kind]:
            lines.append(f"add {kind} {TABLE_NAME} {names[name]} {rest}")
            if rules.elements.get(name):
                lines.append(f"add element {TABLE_NAME} {names[name]} {{ {', '.join(rules.elements[name])} }}")
    for name, (hook, _) in sorted(rules.chains.items()):
        lines.append(f"add chain {TABLE_NAME} {name}" + (f" {{ {hook} }}" if hook else ""))
    for name, (_, texts) in sorted(rules.chains.items()):
        for text in texts:
            resolved = SET_REFERENCE.sub(lambda match: f"@{names[match[1]]}", text)
            lines.append(f"add rule {TABLE_NAME} {name} {resolved}")
    return "\n".join(lines) + "\n"


def render_removal(rules: NftTable, present: Mapping[str, set[str]]) -> str:
    """Return what removes what is in the kernel and not in the table; "" for nothing."""
    kept = {"chain": set(rules.chains), "counter": set(rules.counters)}
    kept["set"] = kept["map"] = {_kernel_name(rules, name) for name in rules.sets}
    lines = [
        f"delete {kind} {TABLE_NAME} {name}"
        for kind in ("chain", "set", "map", "counter")
        for name in sorted(present[kind] - kept[kind])
    ]
    return "\n".join([*lines, ""]) if lines else ""


def _kernel_name(rules: NftTable, name: str) -> str:
    content = repr((rules.sets[name], rules.elements.get(name, ())))
    return f"{name}_{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def apply_table(namespace: str, rules: NftTable) -> None:
    """Raise NftError where nft refuses; then nothing has changed, or only what nothing refers to any more is left."""
    present = list_objects(namespace)
    run_nft(namespace, render_transaction(rules, present))
    if removal := render_removal(rules, present):
        run_nft(namespace, removal)


def run_nft(namespace: str, text: str) -> None:
    with in_netns(namespace):
        done = subprocess.run(["nft", "-f", "-"], input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise NftError(done.stderr.strip()[:2000])


def list_objects(namespace: str) -> dict[str, set[str]]:
    """Return kind → names of the chains, sets, maps and counters in the kernel."""
    with in_netns(namespace):
        done = subprocess.run(["nft", "-j", "-t", "list", "ruleset"], text=True, capture_output=True, check=True)
    names: dict[str, set[str]] = {"chain": set(), "set": set(), "map": set(), "counter": set()}
    for item in json.loads(done.stdout)["nftables"]:
        for kind, value in item.items():
            if kind in names and value.get("table") == "causeway":
                names[kind].add(value["name"])
    return names
