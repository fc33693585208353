"""How much memory an installation takes: the proportional set size of all its processes.

PSS shares each page among those that map it (see proc(5), smaps_rollup), so the sum over processes is what the
machine gave; resident sizes added up would count PostgreSQL's shared buffers once per session.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path


def process_tree(root: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            children[int(after_name[1])].append(int(entry.name))
    found, open_ends = [], [root]
    while open_ends:
        pid = open_ends.pop()
        found.append(pid)
        open_ends += children[pid]
    return found


def proportional_set_size(pids: list[int]) -> int:
    """Bytes; processes that are gone or not ours to read count as nothing."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    return total


def memory_table(root: int) -> str:
    """One line a process, the largest first, and the sum."""
    rows = []
    for pid in process_tree(root):
        size = proportional_set_size([pid])
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:90]
        except FileNotFoundError:
            continue
        rows.append((size, pid, command))
    lines = [f"{size / 2**20:8.1f} MiB  {pid:>7}  {command}" for size, pid, command in sorted(rows, reverse=True)]
    return "\n".join([*lines, f"{sum(size for size, _, _ in rows) / 2**20:8.1f} MiB  in all"])


if __name__ == "__main__":
    print(memory_table(int(sys.argv[1])))
