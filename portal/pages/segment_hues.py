"""The muted hue of a segment: pages may not carry styles of their own, and no segment may look like a state."""

from __future__ import annotations

import colorsys
import hashlib


def hue(name: str) -> int:
    """Return one of eight muted hues (1 to 8): the same for a name everywhere and for ever."""
    return hashlib.sha256(name.encode()).digest()[0] % 8 + 1


# The angles (of 360) of the segment hues 1 to 7 of tokens.css; 8 is the grey one.
SEGMENT_HUE_ANGLES = (217, 329, 41, 169, 256, 15, 87)


def segment_hue(name: str, color: str | None) -> int:
    """Return the hue nearest to the color a segment was given (``#rrggbb``), else the hue of its name."""
    if not color:
        return hue(name)
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    if max(red, green, blue) - min(red, green, blue) < 0.15:
        return 8
    angle = colorsys.rgb_to_hls(red, green, blue)[0] * 360
    distances = [min(abs(angle - other), 360 - abs(angle - other)) for other in SEGMENT_HUE_ANGLES]
    return distances.index(min(distances)) + 1
