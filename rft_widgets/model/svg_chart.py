"""Lines over steps as SVG: drawn by hand, so that a page needs no script and no library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from msgspec import Struct

_WIDTH, _HEIGHT = 620.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 12.0, 26.0, 34.0


class Line(Struct, frozen=True, kw_only=True):
    """Values by step, the steps rising; ``band`` are the bounds of each, where they are known."""

    name: str
    colour: str
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float, float], ...] = ()
    has_dots: bool = False


def line_chart(title: str, lines: Sequence[Line], *, mark: float | None = None) -> str:
    """Draw lines on common axes; empty where there is nothing to draw.

    Parameters
    ----------
    title
        What is drawn.
    lines
        The lines; those without points are left out.
    mark
        A step to mark.
    """
    drawn = [line for line in lines if line.points]
    if not drawn:
        return ""
    steps = [step for line in drawn for step, _ in line.points]
    values = [value for line in drawn for _, value in line.points]
    values += [bound for line in drawn for _, *bounds in line.band for bound in bounds]
    x = _Axis.over(steps, _LEFT, _WIDTH - _RIGHT, is_whole=True)
    y = _Axis.over(values, _HEIGHT - _BOTTOM, _TOP)
    parts = [_grid(x, y)]
    for line in drawn:
        parts.append(_band(line, x, y))
        parts.append(_path(line, x, y))
    if mark is not None and x.low <= mark <= x.high:
        at = f"{x.at(mark):.1f}"
        parts.append(
            f"<line x1='{at}' x2='{at}' y1='{_TOP}' y2='{_HEIGHT - _BOTTOM}' "
            "stroke='#000' stroke-dasharray='2 3'/>"
        )
    parts.append(_legend(drawn))
    words = escape(title, quote=True)
    return (
        f"<figure><figcaption>{words}</figcaption>"
        f"<svg role='img' aria-label='{words}' viewBox='0 0 {_WIDTH:.0f} {_HEIGHT:.0f}' "
        f"width='{_WIDTH:.0f}' font-family='sans-serif' font-size='11'>{''.join(parts)}</svg>"
        "</figure>"
    )


class _Axis(Struct, frozen=True):
    """From values to places on the picture, with round numbers along it."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    @classmethod
    def over(
        cls, values: Sequence[float], start: float, end: float, *, is_whole: bool = False
    ) -> _Axis:
        low, high = min(values), max(values)
        if high - low < 1e-9 * max(1.0, abs(high)):
            low, high = low - 0.5, high + 0.5
        size = _round_step((high - low) / 4)
        if is_whole:
            size = max(1.0, size)
        first = math.ceil(low / size - 1e-9)
        ticks = []
        for number in range(first, first + 12):
            if number * size > high + 1e-9 * size:
                break
            ticks.append(number * size)
        return cls(low, high, start, end, tuple(ticks))

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(one * power for one in (1, 2, 5, 10) if one * power >= rough)


def _grid(x: _Axis, y: _Axis) -> str:
    parts = []
    for tick in y.ticks:
        at = f"{y.at(tick):.1f}"
        parts.append(
            f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{at}' y2='{at}' stroke='#e0e0e0'/>"
            f"<text x='{_LEFT - 6}' y='{y.at(tick) + 4:.1f}' text-anchor='end'>{tick:.4g}</text>"
        )
    foot = _HEIGHT - _BOTTOM
    parts += [
        f"<text x='{x.at(tick):.1f}' y='{foot + 15}' text-anchor='middle'>{tick:.6g}</text>"
        for tick in x.ticks
    ]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f"<text x='{middle}' y='{_HEIGHT - 4}' text-anchor='middle'>step</text>")
    parts.append(
        f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{foot}' y2='{foot}' stroke='#616161'/>"
    )
    return "".join(parts)


def _path(line: Line, x: _Axis, y: _Axis) -> str:
    places = [(x.at(step), y.at(value)) for step, value in line.points]
    drawn = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
    dots = ""
    if line.has_dots or len(places) == 1:
        dots = "".join(
            f"<circle cx='{across:.1f}' cy='{down:.1f}' r='3' fill='{line.colour}'/>"
            for across, down in places
        )
    return f"<polyline points='{drawn}' fill='none' stroke='{line.colour}'/>{dots}"


def _band(line: Line, x: _Axis, y: _Axis) -> str:
    if not line.band:
        return ""
    there = [f"{x.at(step):.1f},{y.at(high):.1f}" for step, _, high in line.band]
    back = [f"{x.at(step):.1f},{y.at(low):.1f}" for step, low, _ in reversed(line.band)]
    return f"<polygon points='{' '.join(there + back)}' fill='{line.colour}' opacity='0.15'/>"


def _legend(lines: Sequence[Line]) -> str:
    parts, at = [], _LEFT
    for line in lines:
        parts.append(
            f"<rect x='{at}' y='7' width='12' height='4' fill='{line.colour}'/>"
            f"<text x='{at + 16}' y='14'>{escape(line.name)}</text>"
        )
        at += 34 + 6.2 * len(line.name)
    return "".join(parts)
