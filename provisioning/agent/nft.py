"""Puts a Rules value into the kernel as one nftables transaction, and takes its counters out.

Counters that are still wanted are never touched; sets are named by their content or filled anew; a chain is refilled in
the same transaction that refers to it, so a packet meets either the old table or the new one.
"""

from __future__ import annotations

import json
import subprocess

from provisioning.agent.inside import inside
from provisioning.agent.wanted import Rules

TABLE = "inet causeway"


class Refused(Exception):
    """nft did not take the table; the message is nft's own."""


def transaction(rules: Rules, stale: dict[str, set[str]]) -> str:
    """The whole text. ``stale``: by kind (chain, set, map, counter), what is in the kernel and no longer wanted."""
    lines = [f"add table {TABLE}", f"flush table {TABLE}"]
    lines += [f"delete {kind} {TABLE} {name}" for kind in ("chain", "set", "map") for name in sorted(stale[kind])]
    lines += [f"add counter {TABLE} {name}" for name in sorted(rules.counters)]
    for name, declaration in sorted(rules.sets.items()):
        kind, _, rest = declaration.partition(" ")
        lines.append(f"add {kind} {TABLE} {name} {rest}")
        lines.append(f"flush {kind} {TABLE} {name}")
        if rules.elements.get(name):
            lines.append(f"add element {TABLE} {name} {{ {', '.join(rules.elements[name])} }}")
    for name, (hook, _) in sorted(rules.chains.items()):
        lines.append(f"add chain {TABLE} {name}" + (f" {{ {hook} }}" if hook else ""))
    for name, (_, texts) in sorted(rules.chains.items()):
        lines += [f"add rule {TABLE} {name} {text}" for text in texts]
    lines += [f"delete counter {TABLE} {name}" for name in sorted(stale["counter"])]
    return "\n".join(lines) + "\n"


def apply(namespace: str, rules: Rules) -> None:
    """Raises Refused; then nothing has changed."""
    kernel = present(namespace)
    stale = {"chain": kernel["chain"] - set(rules.chains), "counter": kernel["counter"] - set(rules.counters)}
    stale |= {kind: kernel[kind] - set(rules.sets) for kind in ("set", "map")}
    text = transaction(rules, stale)
    run(namespace, text)


def run(namespace: str, text: str) -> None:
    with inside(namespace):
        done = subprocess.run(["nft", "-f", "-"], input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise Refused(done.stderr.strip()[:2000])


def present(namespace: str) -> dict[str, set[str]]:
    """Names of the chains, sets, maps and counters in the kernel, by kind."""
    with inside(namespace):
        done = subprocess.run(["nft", "-j", "-t", "list", "ruleset"], text=True, capture_output=True, check=True)
    found: dict[str, set[str]] = {"chain": set(), "set": set(), "map": set(), "counter": set()}
    for item in json.loads(done.stdout)["nftables"]:
        for kind, value in item.items():
            if kind in found and value.get("table") == "causeway":
                found[kind].add(value["name"])
    return found
