"""The lab's configuration file: one JSON object.

    {"portal": "http://127.0.0.1:8000",
     "nodes": [{"location": "aws-eu-central-1", "index": 1, "underlay": "172.31.0.1", "enrollment_key": "…"}, …],
     "data": "folder for agents' state",          "state_file": "where `manage.py lab` finds the running lab",
     "traffic": false, "simulate": false}

A node may carry "token" and "public_key" instead of "enrollment_key" (tests do).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LabNode:
    location: str
    index: int
    underlay: str
    enrollment_key: str = ""
    token: str = ""
    public_key: str = ""

    @property
    def name(self) -> str:
        return f"{self.location}/{self.index}"

    @property
    def namespace(self) -> str:
        """The node's own network namespace, where a real node would have its default one."""
        return f"node.{self.location}-{self.index}"

    @property
    def prefix(self) -> str:
        """How the names of this node's segments begin."""
        return f"x.{self.location}-{self.index}."


@dataclass(frozen=True, slots=True)
class LabConfig:
    portal: str
    nodes: tuple[LabNode, ...]
    data: Path
    state_file: Path
    traffic: bool = False
    simulate: bool = False


def load_config(path: Path) -> LabConfig:
    """Raises ValueError with what is wrong."""
    raw = json.loads(path.read_text())
    try:
        nodes = tuple(LabNode(**node) for node in raw.pop("nodes"))
        data, state_file = Path(raw.pop("data")), Path(raw.pop("state_file"))
        made = LabConfig(
            portal=raw.pop("portal"),
            nodes=nodes,
            data=data,
            state_file=state_file,
            traffic=bool(raw.pop("traffic", False)),
            simulate=bool(raw.pop("simulate", False)),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: the lab's configuration is not right: {error}") from error
    if raw:
        raise ValueError(f"{path}: the lab's configuration knows no {', '.join(sorted(raw))}")
    return made
