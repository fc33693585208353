"""A bar chart as numbers for a server-rendered SVG (templates/partials/bar_chart.html): it prints without script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

LEFT, RIGHT, TOP, BOTTOM, WIDTH = 44, 680, 12.5, 132.5, 684


@dataclass(frozen=True, slots=True)
class ChartBar:
    label: str
    value: Decimal
    note: str = ""  # the bar's text: "2 Oct: 565.17 GB"


def bar_chart(bars: Sequence[ChartBar]) -> dict[str, Any] | None:
    """Return the geometry as strings (templates would write 1,024.5), or None when there is nothing to draw."""
    top = _round_up(max((bar.value for bar in bars), default=Decimal(0)))
    if not top:
        return None
    step = (RIGHT - LEFT) / len(bars)
    width = min(step * 0.68, 40)
    every = max(1, -(-len(bars) // 8))
    highest = max(bars, key=lambda bar: bar.value)
    drawn = []
    for index, bar in enumerate(bars):
        height = float(bar.value / top) * (BOTTOM - TOP)
        drawn.append(
            {
                "x": f"{LEFT + index * step + (step - width) / 2:.1f}",
                "y": f"{BOTTOM - 0.5 - height:.1f}",
                "width": f"{width:.1f}",
                "height": f"{max(height, 1 if bar.value else 0):.1f}",
                "middle": f"{LEFT + (index + 0.5) * step:.1f}",
                "label": bar.label if index % every == 0 else "",
                "note": bar.note or f"{bar.label}: {bar.value:,.2f}",
                "highest": bar is highest,
            }
        )
    lines = [(BOTTOM - share * (BOTTOM - TOP) / 3, _axis_label(top * share / 3)) for share in range(4)]
    return {
        "bars": drawn,
        "lines": [{"y": f"{y:.1f}", "text_y": f"{y + 4:.1f}", "label": label} for y, label in lines],
        "highest": highest.note or highest.label,
        "wide": WIDTH,
        "right": RIGHT,
        "left": LEFT,
    }


def _round_up(value: Decimal) -> Decimal:
    """Return the next of 1.2, 1.5, 1.8, 2.4, 3 … × 10ⁿ, since a third of each is a short number for the axis."""
    if value <= 0:
        return Decimal(0)
    power = Decimal(10) ** value.adjusted()
    return next(
        step
        for factor in ("1.2", "1.5", "1.8", "2.4", "3", "4.5", "6", "7.5", "9", "12")
        if (step := Decimal(factor) * power) >= value
    )


def _axis_label(value: Decimal) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{(value / size).normalize():f}{letter}"
    return f"{value.normalize():f}" if value else "0"
