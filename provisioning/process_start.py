"""What every long-running process does once, when it has imported its modules.

It stands here, below the portal, because the bench measures the core in a process without the portal's frameworks.
"""

from __future__ import annotations

import gc

GC_THRESHOLDS = (1_000_000, 10, 10)
"""A plan of a large network makes half a million values that stay; looking at each of them costs a tenth of its time.
Python looks through the young ones every 700 by default."""


def tune_garbage_collection() -> None:
    """Take what has been imported out of the collector's sight, and let it look for cycles less often.

    Networks and everything derived from them hold no reference cycle, so nothing large waits for the collector
    (tests/core/test_resolve_incremental.py holds that).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
