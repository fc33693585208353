"""How much memory an installation takes: the proportional set size of all its processes.

PSS shares each page among the processes that map it (proc_pid_smaps(5)), so the sum over processes is what the machine
gave. Resident sizes added up would count PostgreSQL's shared buffers once per session.
"""

from __future__ import annotations

import sys

import psutil


def process_tree(root: int) -> list[psutil.Process]:
    """Return the process and all its descendants."""
    process = psutil.Process(root)
    return [process, *process.children(recursive=True)]


def proportional_set_size(processes: list[psutil.Process]) -> int:
    """Return bytes; processes that are gone or not ours to read count as nothing."""
    return sum(map(_pss, processes))


def memory_table(root: int) -> str:
    """Return one line for each process, the largest first, and the sum."""
    rows = []
    for process in process_tree(root):
        try:
            rows.append((_pss(process), process.pid, " ".join(process.cmdline())[:90]))
        except psutil.NoSuchProcess:
            continue
    lines = [f"{size / 2**20:8.1f} MiB  {pid:>7}  {command}" for size, pid, command in sorted(rows, reverse=True)]
    return "\n".join([*lines, f"{sum(size for size, _, _ in rows) / 2**20:8.1f} MiB  in all"])


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


if __name__ == "__main__":
    print(memory_table(int(sys.argv[1])))
