"""Two orders of things as one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from provisioning.core.values.subsequences import longest_increasing_subsequence

MISSING = -1
AlignedIndexes = list[tuple[int, ...]]
"""Places in each list; NONE where one has nothing there."""


def align(keys: Sequence[Sequence[Hashable]]) -> AlignedIndexes:
    """Places in one or two lists without repeats, equal keys together as far as neither order is broken."""
    if len(keys) == 1:
        return [(place,) for place in range(len(keys[0]))]
    one, other = keys
    if one == other:
        return [(place, place) for place in range(len(one))]
    where = {key: place for place, key in enumerate(other)}
    common = [(place, where[key]) for place, key in enumerate(one) if key in where]
    pairs: AlignedIndexes = []
    i = j = 0
    kept = longest_increasing_subsequence([right for _, right in common])
    for left, right in (*(common[index] for index in kept), (len(one), len(other))):
        pairs += [(place, MISSING) for place in range(i, left)]
        pairs += [(MISSING, place) for place in range(j, right)]
        if left < len(one):
            pairs.append((left, right))
        i, j = left + 1, right + 1
    return pairs
