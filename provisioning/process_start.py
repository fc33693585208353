"""What every long-running process does once, when it has imported its modules.

It stands here, below the portal, because the bench measures the core in a process without the portal's frameworks.
"""

from __future__ import annotations

import gc

GC_THRESHOLDS = (100_000, 20, 10)
"""A plan makes values by the hundred thousand, which stay. Python's default looks through the young ones every 700."""


def tune_garbage_collection() -> None:
    """Take what has been imported out of the collector's sight, and let it look for cycles less often.

    Networks and everything derived from them hold no reference cycle, so nothing large waits for the collector
    (tests/core/test_resolve_incremental.py holds that).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
