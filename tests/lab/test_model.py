"""What the model says and what packets do are the same, from the drawing to the wire."""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import pytest

from provisioning.core.network import Network
from provisioning.core.reach import trace
from tests.core.networks import Drawing, hospital, policy, site
from tests.lab.conftest import World
from tests.lab.drawn import documents

pytestmark = [pytest.mark.packets, pytest.mark.timeout(120)]

PROBES = [("tcp", 22), ("tcp", 443), ("tcp", 8080), ("udp", 53), ("udp", 514), ("icmp", None)]
INTERNET = "198.51.100.10"
PROBE = """
import json, socket, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
def reached(probe):
    source, address, protocol, port = probe
    if protocol == "icmp":
        return subprocess.run(["ping", "-c1", "-W2", "-I", source, address], capture_output=True).returncode == 0
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    line.settimeout(2)
    try:
        line.bind((source, 0))
        line.connect((address, port))
        if protocol == "udp":
            line.send(b"hello")
        return bool(line.recv(100))
    except OSError:
        return False
with ThreadPoolExecutor(100) as pool:
    print(json.dumps(list(pool.map(reached, json.loads(sys.argv[1])))))
"""


def hosts(network: Network) -> dict[str, list[str]]:
    """Connector key → the addresses of its workload; the exit's is the internet host."""
    from provisioning.lab.stack import first_usable

    return {
        connector.key: [first_usable(prefix) for a in connector.attachments for prefix in a.prefixes]
        for connector in network.intent.connectors.values()
        if connector.kind != "internet-exit"
    }


def differences(world: World, network: Network) -> list[str]:
    """Every flow for which packets and the model disagree."""
    known = hosts(network)
    segments = {c.key: {a.segment for a in c.attachments} for c in network.intent.connectors.values()}
    wrong = []
    running = {}
    for start, addresses in known.items():
        targets = [
            (f"{end}@{address}", address)
            for end, each in known.items()
            if end != start and segments[start] & segments[end]
            for address in each
        ]
        targets.append(("internet", INTERNET))
        asked = [(source, *target, *probe) for source in addresses for target in targets for probe in PROBES]
        told = [[source, address, protocol, port] for source, _, address, protocol, port in asked]
        running[start] = asked, world.popen(start, sys.executable, "-c", PROBE, json.dumps(told))
    for start, (asked, process) in running.items():
        seen = json.loads(process.communicate(timeout=60)[0])
        for (source, end, _, protocol, port), came in zip(asked, seen, strict=True):
            said = trace(network, f"{start}@{source}", end, protocol, port)
            if came != said.disposition.startswith("delivered"):
                wrong.append(f"{start}@{source} → {end} {protocol}/{port}: model {said.disposition}, packets {came}")
    return wrong


def publish(world: World, network: Network) -> None:
    """From nothing: drawings of tests give the same number to different connectors, which the store never does."""
    world.portal.publish({node: {} for node in world.lab.state["nodes"]})
    assert world.portal.settled(30), world.log()
    assert not world.lab.workloads()
    world.portal.publish(documents(network))
    assert world.portal.settled(30), world.log()


def test_the_hospital_network_behaves_as_the_model_says(world: World) -> None:
    network = hospital().network()
    publish(world, network)
    wrong = differences(world, network)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_generated_networks_behave_as_the_model_says(world: World, seed: int) -> None:
    network = generated(random.Random(seed)).network()
    publish(world, network)
    wrong = differences(world, network)
    assert not wrong, "\n".join(wrong)


def generated(chance: random.Random) -> Drawing:
    """Five sites, an exit, two firewalls with rules of their own, and a handful of policies."""
    net = Drawing()
    net.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    net.add("exchanges", {"name": "us", "location": "aws-us-east-1"})
    net.add("segments", {"name": "corp", "stance": chance.choice(["open", "closed"])})
    for group in ("red", "blue"):
        net.add("groups", {"name": group})
    for name, exchanges in (("fw", ["eu"]), ("ids", ["eu", "us"])):
        inner = [rule(chance, ["allow", "deny"]) for _ in range(2)]
        net.add(
            "services",
            {
                "name": name, "product": "linux-firewall", "segments": ["corp"],
                "placements": [{"exchange": exchange, "min_instances": 2} for exchange in exchanges],
                "settings": {"default": "allow", "rules": inner},
            },
        )  # fmt: skip
    for place in range(5):
        group = chance.choice(["red", "blue", None])
        net.add("connectors", site(f"s{place}", chance.choice(["eu", "us"]), group, f"10.{place}.0.0/16"))
    net.add("connectors", site("inner", "us", "blue", "10.0.7.0/24", "10.9.0.0/16"))
    net.add("connectors", {"name": "exit", "kind": "internet-exit", "exchange": chance.choice(["eu", "us"]),
                           "attachments": [{"segment": "corp"}]})  # fmt: skip
    ends = ["red", "blue", "any", "internet", "s0", "inner"]
    for place in range(4):
        rules = [rule(chance, ["allow", "deny", "inspect", "watch"]) for _ in range(2)]
        net.add("policies", policy(f"p{place}", place, chance.choice(ends), chance.choice(ends), *rules))
    return net


def rule(chance: random.Random, actions: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"action": chance.choice(actions), "protocol": chance.choice(["any", "tcp", "udp", "icmp"])}
    if made["protocol"] in ("tcp", "udp"):
        made["ports"] = chance.sample(["22", "50-60", "443", "8000-8100"], 2)
    if chance.random() < 0.3:
        made["source"] = [chance.choice(["10.0.0.0/14", "10.0.7.0/24", "10.1.0.0/16"])]
    if made["action"] == "inspect":
        made["services"] = chance.sample(["fw", "ids"], chance.choice([1, 2]))
    return made
