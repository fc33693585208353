"""What an agent keeps on disk: the last document, what its connections' marks mean, and what was counted so far."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from provisioning.agent.counter_totals import CounterTotals
from provisioning.agent.mark_allocation import MarkAllocation


class AgentState:
    """One JSON file for each thing, replaced as a whole. ``epoch`` is fixed for as long as the counters are.

    ended: what was counted in the epoch before, ``{"epoch", "sequence", "counters"}``, until the portal has been told.
    """

    def __init__(self, folder: Path, boot: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        saved = self.load("epoch", {})
        if saved.get("boot") != boot:
            # After a reboot namespaces and kernel counters are gone; the document and the token are still good.
            self._keep_ended_epoch(saved.get("epoch", ""))
            for name in ("counters", "memory"):
                (folder / f"{name}.json").unlink(missing_ok=True)
            saved = {"boot": boot, "epoch": os.urandom(8).hex()}
            self.save("epoch", saved)
        self.epoch = str(saved["epoch"])
        self.ended: dict[str, Any] = self.load("ended", {})

    def _keep_ended_epoch(self, epoch: str) -> None:
        """Keep what was counted last, which the portal may not have stored yet.

        Counts of an epoch of which it never heard go on those of the one before.
        """
        counted, untold = self.load("counters", {}), self.load("ended", {})
        counters = Counter(untold.get("counters", {}))
        counters.update(CounterTotals.from_json(counted).values())
        if counters:
            ended = untold or {"epoch": epoch, "sequence": counted.get("sequence", 0)}
            self.save("ended", {**ended, "counters": dict(counters)})

    def forget_ended_epoch(self) -> None:
        self.ended = {}
        (self.folder / "ended.json").unlink(missing_ok=True)

    def load(self, name: str, default: Any) -> Any:
        try:
            return json.loads((self.folder / f"{name}.json").read_text())
        except FileNotFoundError:
            return default

    def save(self, name: str, value: Any) -> None:
        target = self.folder / f"{name}.json"
        temporary = target.with_suffix(".new")
        with temporary.open("w") as file:
            file.write(json.dumps(value))
            file.flush()
            # On the disk before it replaces the former: a power failure leaves one of the two, whole.
            os.fdatasync(file.fileno())
        temporary.replace(target)

    def mark_allocations(self) -> dict[str, MarkAllocation]:
        return {key: MarkAllocation.from_json(value) for key, value in self.load("memory", {}).items()}

    def save_mark_allocations(self, mark_allocations: dict[str, MarkAllocation]) -> None:
        self.save("memory", {key: allocation.as_json() for key, allocation in mark_allocations.items()})
