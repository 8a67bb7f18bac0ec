"""Small pictures as SVG in the colours of the page: axes, curves, marks.

Unlike the figures of matplotlib they follow the light and dark scheme and hold links. What a mark
looks like is the style's part: a class for each wording, the line styles of `report.plots`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

#: Room for numbers and names left of and below the frame.
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 42


@dataclass(frozen=True)
class Axis:
    """A scale from `low` to `high`, linear or logarithmic, over a length in pixels."""

    low: float
    high: float
    log: bool
    length: float

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to the length."""
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.length * min(max(share, 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Four to eight round values."""
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            every = max(1, -(-(last - first) // 6))
            decades = [10.0**p for p in range(first, last + 1, every)]
            if len(decades) > 2:
                return decades
            finer = [m * 10.0**p for p in range(first - 1, last + 1) for m in (1, 2, 5)]
            return [value for value in finer if self.low <= value <= self.high]
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
        count = math.floor((self.high + 1e-9 * step) / step)
        return [k * step for k in range(math.ceil((self.low - 1e-9 * step) / step), count + 1)]


def spanning(values: Sequence[float], length: float, log: bool | None = None) -> Axis:
    """An axis that has all values; logarithmic where they are positive and span much."""
    low, high = min(values), max(values)
    if log is None:
        log = low > 0 and high / low > 100
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 1, high + 1)
    margin = 0 if log else 0.03 * (high - low)
    return Axis(low - margin, high + margin, log, length)


def frame(
    x: Axis, y: Axis, x_name: str, y_name: str, words: str, inside: str, numbered: bool = True
) -> str:
    """A picture with its axes, their numbers and names, and alternative text.

    Where the height is not `numbered` it stands for nothing but order.
    """
    width, height = LEFT + x.length + RIGHT, TOP + y.length + BOTTOM
    marks = "".join(
        f'<path class="grid" d="M{LEFT + x.place(t):.1f} {TOP}v{y.length}"/>'
        f'<text x="{LEFT + x.place(t):.1f}" y="{TOP + y.length + 16}" text-anchor="middle">'
        f"{_told(t)}</text>"
        for t in x.ticks()
    ) + "".join(
        f'<path class="grid" d="M{LEFT} {TOP + y.length - y.place(t):.1f}h{x.length}"/>'
        f'<text x="{LEFT - 6}" y="{TOP + y.length - y.place(t) + 4:.1f}" text-anchor="end">'
        f"{_told(t)}</text>"
        for t in (y.ticks() if numbered else ())
    )
    return (
        f'<svg class="plot" role="img" aria-label="{escape(words)}" '
        f'viewBox="0 0 {width:g} {height:g}" style="max-width:{width:g}px">{marks}'
        f'<text class="name" x="{LEFT + x.length / 2:g}" y="{height - 6:g}" '
        f'text-anchor="middle">{escape(x_name)}</text>'
        f'<text class="name" transform="translate(12 {TOP + y.length / 2:g}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_name)}</text>{inside}</svg>'
    )


def curve(x: Axis, y: Axis, points: Iterable[tuple[float, float]], kind: str) -> str:
    """A line through points; it breaks where a value is not a number."""
    path, pen = "", "M"
    for a, b in points:
        if not math.isfinite(b) or (y.log and b <= 0):
            pen = "M"
            continue
        path += f"{pen}{LEFT + x.place(a):.1f} {TOP + y.length - y.place(b):.1f}"
        pen = "L"
    return f'<path class="curve {kind}" d="{path}"/>' if "L" in path else ""


def dot(x: float, y: float, kind: str, link: str, words: str) -> str:
    """A mark at a place in the picture that links to what it stands for."""
    return (
        f'<a href="#{link}" tabindex="-1"><circle class="{kind}" r="3.2" cx="{x:.1f}" '
        f'cy="{y:.1f}"><title>{escape(words)}</title></circle></a>'
    )


def _told(value: float) -> str:
    if value == 0:
        return "0"
    power = math.floor(math.log10(abs(value)) + 1e-9)
    if -4 < power < 5:
        return f"{value:g}".replace("-", "−")
    factor = value / 10.0**power
    times = "" if abs(factor - 1) < 1e-9 else f"{factor:g}·"
    raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{times}10{raised}"
