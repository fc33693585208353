"""What an agent keeps on disk: the last document, what its connections' marks mean, and what was counted so far."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from provisioning.agent.mark_allocation import MarkAllocation


class AgentState:
    """One JSON file for each thing, replaced as a whole. ``epoch`` is fixed for as long as the counters are."""

    def __init__(self, folder: Path, boot: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        saved = self.load("epoch", {})
        if saved.get("boot") != boot:
            # After a reboot namespaces and kernel counters are gone; the document and the token are still good.
            for name in ("counters", "memory"):
                (folder / f"{name}.json").unlink(missing_ok=True)
            saved = {"boot": boot, "epoch": os.urandom(8).hex()}
            self.save("epoch", saved)
        self.epoch = str(saved["epoch"])

    def load(self, name: str, default: Any) -> Any:
        try:
            return json.loads((self.folder / f"{name}.json").read_text())
        except FileNotFoundError:
            return default

    def save(self, name: str, value: Any) -> None:
        target = self.folder / f"{name}.json"
        temporary = target.with_suffix(".new")
        temporary.write_text(json.dumps(value))
        temporary.replace(target)

    def mark_allocations(self) -> dict[str, MarkAllocation]:
        return {key: MarkAllocation.from_json(value) for key, value in self.load("memory", {}).items()}

    def save_mark_allocations(self, mark_allocations: dict[str, MarkAllocation]) -> None:
        self.save("memory", {key: allocation.as_json() for key, allocation in mark_allocations.items()})
