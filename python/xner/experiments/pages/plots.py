"""Plots of studies as SVG: points with intervals, curves, clouds of points, stacked bars, heat maps.

Texts stay text, so that any script can be read, searched and scaled. Colours are those of the page, by class; a file of
its own gets those of the light scheme.
"""

from __future__ import annotations

import importlib.util
import itertools
import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xner._support.extras import require
from xner._support.pages import Html, asset, colours, element

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Axis",
    "Curve",
    "Mark",
    "Plot",
    "Spot",
    "curves",
    "heat_map",
    "intervals",
    "plot_files",
    "plot_style",
    "scatter",
    "stacked",
]

# All in pixels of a plot that is shown as wide as it is.
_WIDTH = 520.0
_EDGE = 10.0
_LINE = 17.0
_TRACK = 16.0
_TICK = 5.0
_HEIGHT = 230.0

_CELL = 46.0
_ROW = 20.0

_SIZE = 12.5
_ZOOM = 2.0  # of pictures in pixels
# Width of a character as a share of the size: rather too much, as the page's font is not known.
_CHARACTER = 0.62


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis.

    Attributes:
        label: what it shows, with the unit.
        logarithmic: whether equal steps are equal factors.
        zero: whether 0 is on it, and marked.
        low: where it begins; None for what the data need.
        high: where it ends; likewise.
    """

    label: str
    logarithmic: bool = False
    zero: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A number with its interval.

    Attributes:
        value: the number.
        low: lower end of the interval.
        high: upper end.
        parts: what it is the mean of, as smaller points.
    """

    value: float
    low: float
    high: float
    parts: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve.

    Attributes:
        points: (x, y), x rising.
        upper: y up to which the band goes, one a point; None for no band.
        lower: y from which it goes; None for the curve itself.
    """

    points: Sequence[tuple[float, float]]
    upper: Sequence[float] | None = None
    lower: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """A point of a cloud.

    Attributes:
        x: where it lies.
        y: likewise.
        name: what it stands for, shown where it is pointed at.
    """

    x: float
    y: float
    name: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with all that is said of it.

    Attributes:
        name: of its file, without ending.
        caption: what it shows.
        help: a sentence that tells how to read it.
        svg: the plot.
    """

    name: str
    caption: str
    help: str
    svg: Html

    def file(self) -> str:
        """The plot as a file of its own, in the light scheme's colours."""
        style = re.sub(r"var\(--([\w-]+)\)", lambda found: _light_colours()[found[1]], plot_style())
        opening, inside = self.svg.split(">", 1)
        return f'{opening} xmlns="http://www.w3.org/2000/svg"><style>{style}</style>{inside}\n'

    def picture(self) -> bytes:
        """The same as PNG, in twice the size, in the fonts of this machine; one without any draws no texts.

        Raises:
            MissingExtraError: the extra `plots` is not installed.
        """
        resvg = require("resvg_py", extra="plots", what="a plot as PNG")
        found: bytes = resvg.svg_to_bytes(svg_string=self.file(), background=_light_colours()["page"], zoom=_ZOOM)
        return found


def plot_files(plots: Iterable[Plot]) -> dict[str, bytes]:
    """Files of plots by their names: `plot-NAME.svg`, and `plot-NAME.png` where the extra `plots` is installed."""
    with_pictures = importlib.util.find_spec("resvg_py") is not None
    found = {}
    for plot in plots:
        found[f"plot-{plot.name}.svg"] = plot.file().encode()
        if with_pictures:
            found[f"plot-{plot.name}.png"] = plot.picture()
    return found


def plot_style() -> str:
    """The style sheet of plots; it goes by the names of the pages' colours."""
    return asset("xner.experiments.pages", "plots.css")


def _light_colours() -> dict[str, str]:
    light = colours().partition("@media")[0]
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", light))


def intervals(
    name: str, caption: str, help_: str, rows: Mapping[str, Mapping[str, Mark]], axis: Axis, series: Mapping[str, int]
) -> Plot:
    """Numbers with their intervals, one line a row and series.

    Args:
        name: of the plot's file.
        caption: what it shows.
        help_: how to read it.
        rows: by name, marks by series.
        axis: of the numbers.
        series: the number of each one's colour and shape, in the order of the lines.
    """
    marks = [mark for row in rows.values() for mark in row.values()]
    scale = _Scale(axis, [end for mark in marks for end in (mark.low, mark.high, *mark.parts)], _EDGE * 2, _WIDTH - 30)
    parts: list[Html] = []
    top = _legend(parts, series, dashed=False)
    bottom = top
    for row, found in rows.items():
        for line in wrapped(row, _WIDTH - 2 * _EDGE):
            bottom += _LINE
            parts.append(_text(line, _EDGE, bottom - 4))
        for one, colour in series.items():
            if one in found:
                bottom += _TRACK
                parts.append(_mark(found[one], scale, bottom - _TRACK / 2, colour, f"{row}, {one}"))
        bottom += 6
    grid = [
        element(
            "line",
            class_="zero" if axis.zero and tick == 0 else "grid",
            x1=_px(x),
            x2=_px(x),
            y1=_px(top),
            y2=_px(bottom),
        )
        for tick, x in scale.ticks()
    ]
    bottom = _x_axis(parts, scale, bottom)
    return Plot(name, caption, help_, _svg([*grid, *parts], bottom, caption, help_))


def _mark(mark: Mark, scale: _Scale, y: float, colour: int, title: str) -> Html:
    told = element("title", f"{title}: {mark.value:.4g} ({mark.low:.4g} to {mark.high:.4g})")
    low, value, high = (scale(number) for number in (mark.low, mark.value, mark.high))
    parts = [element("path", class_="interval", d=f"M{_px(low)} {_px(y)}H{_px(high)}")]
    parts += [element("circle", class_="part", cx=_px(scale(part)), cy=_px(y), r=2.5) for part in mark.parts]
    parts.append(_point(value, y, colour))
    return element("g", told, *parts, class_=f"c{colour % 8}")


# Shapes tell series apart where colours cannot.
_SHAPES = ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", "M-4 -4H4V4H-4Z", "M0 -5.5L5.5 0L0 5.5L-5.5 0Z", "M0 -5L5 4H-5Z")
_DASHES = (None, "6 4", "2 3", "9 3 2 3")


def _point(x: float, y: float, number: int) -> Html:
    shape = _SHAPES[number % len(_SHAPES)]
    return element("path", class_="point", d=shape, transform=f"translate({_px(x)} {_px(y)})")


def curves(name: str, caption: str, help_: str, found: Mapping[str, Curve], x: Axis, y: Axis) -> Plot:
    """Curves.

    Args:
        name: of the plot's file.
        caption: what it shows.
        help_: how to read it.
        found: curves by the name of what they show.
        x: the horizontal axis.
        y: the vertical axis.
    """
    parts: list[Html] = []
    top = _legend(parts, {series: number for number, series in enumerate(found)}, dashed=True)
    heights = [
        value
        for curve in found.values()
        for value in (*(v for _, v in curve.points), *(curve.upper or ()), *(curve.lower or ()))
    ]
    widths = [value for curve in found.values() for value, _ in curve.points]
    grid, across, down, bottom = _frame(parts, top, (x, widths), (y, heights))
    for number, (series, curve) in enumerate(found.items()):
        places = [(across(a), down(b)) for a, b in curve.points]
        drawn = [element("title", series)]
        if curve.upper is not None:
            above = [(at, down(b)) for (at, _), b in zip(places, curve.upper, strict=True)]
            below = (
                [(at, down(b)) for (at, _), b in zip(places, curve.lower or (), strict=True)] if curve.lower else places
            )
            drawn.append(element("path", class_="band", d=_line([*below, *reversed(above)]) + "Z"))
        drawn.append(element("path", class_="curve", d=_line(places), stroke_dasharray=_DASHES[number % len(_DASHES)]))
        drawn += [_point(*place, number) for place in places] if len(places) <= 12 else []
        parts.append(element("g", *drawn, class_=f"c{number % 8}"))
    bottom = _x_axis(parts, across, bottom)
    return Plot(name, caption, help_, _svg([*grid, *parts], bottom, caption, help_))


def scatter(name: str, caption: str, help_: str, found: Mapping[str, Sequence[Spot]], x: Axis, y: Axis) -> Plot:
    """Clouds of points.

    Args:
        name: of the plot's file.
        caption: what it shows.
        help_: how to read it.
        found: points by the name of what they are of.
        x: the horizontal axis.
        y: the vertical axis.
    """
    parts: list[Html] = []
    top = _legend(parts, {series: number for number, series in enumerate(found)}, dashed=None)
    spots = [spot for some in found.values() for spot in some]
    grid, across, down, bottom = _frame(parts, top, (x, [one.x for one in spots]), (y, [one.y for one in spots]))
    for number, some in enumerate(found.values()):
        for spot in some:
            told = element("title", f"{spot.name}: {spot.x:.4g}, {spot.y:.4g}")
            parts.append(element("g", told, _point(across(spot.x), down(spot.y), number), class_=f"c{number % 8}"))
    bottom = _x_axis(parts, across, bottom)
    return Plot(name, caption, help_, _svg([*grid, *parts], bottom, caption, help_))


def _frame(
    parts: list[Html], top: float, x: tuple[Axis, Sequence[float]], y: tuple[Axis, Sequence[float]]
) -> tuple[list[Html], _Scale, _Scale, float]:
    """The vertical axis and the grid of two axes.

    Args:
        parts: get the vertical axis' texts.
        top: where the frame begins.
        x: the horizontal axis, with the values that must be on it.
        y: the vertical one, likewise.

    Returns:
        The grid, the two scales, and where the frame ends.
    """
    top += 2
    for line in wrapped(y[0].label, _WIDTH - 2 * _EDGE):
        top += _LINE
        parts.append(_text(line, _EDGE, top - 4, class_="quiet"))
    top += 6
    bottom = top + _HEIGHT
    down = _Scale(*y, bottom, top)
    ticks = down.ticks()
    left = _EDGE + max(_text_width(_tick_text(tick)) for tick, _ in ticks) + 8
    across = _Scale(*x, left + 6, _WIDTH - 30)
    grid = [
        element("line", class_="grid", x1=_px(left), x2=_px(_WIDTH - 20), y1=_px(at), y2=_px(at)) for _, at in ticks
    ]
    grid += [
        element("line", class_="grid", x1=_px(at), x2=_px(at), y1=_px(top), y2=_px(bottom)) for _, at in across.ticks()
    ]
    parts += [_text(_tick_text(tick), left - 6, at + 4, class_="quiet", anchor="end") for tick, at in ticks]
    return grid, across, down, bottom


def stacked(name: str, caption: str, help_: str, rows: Mapping[str, Mapping[str, float]], axis: Axis) -> Plot:
    """Bars that are made of parts, one bar a row.

    Args:
        name: of the plot's file.
        caption: what it shows.
        help_: how to read it.
        rows: by name, the sizes of the parts by theirs; not negative, and of one sum at least above 0.
        axis: of the sizes.
    """
    series = {part: number for number, part in enumerate(dict.fromkeys(part for row in rows.values() for part in row))}
    scale = _Scale(axis, [0.0, *(sum(row.values()) for row in rows.values())], _EDGE * 2, _WIDTH - 60)
    parts: list[Html] = []
    top = bottom = _legend(parts, series, dashed=None, filled=True)
    for row, sizes in rows.items():
        for line in wrapped(row, _WIDTH - 2 * _EDGE):
            bottom += _LINE
            parts.append(_text(line, _EDGE, bottom - 4))
        left = 0.0
        for part, size in sizes.items():
            if size > 0:
                start, width = scale(left), scale(left + size) - scale(left)
                told = element("title", f"{row}, {part}: {size:.4g}")
                bar = _box(start, bottom, width, _TRACK, "bar")
                parts.append(element("g", told, bar, class_=f"c{series[part] % 8}"))
                shown = f"{size:.1f}"
                if _text_width(shown) < width:
                    parts.append(_text(shown, start + width / 2, bottom + 12, class_="inside", anchor="middle"))
                left += size
        parts.append(_text(f"{left:.1f}", scale(left) + 6, bottom + 12, class_="quiet"))
        bottom += _TRACK + 6
    grid = [
        element("line", class_="grid", x1=_px(at), x2=_px(at), y1=_px(top), y2=_px(bottom)) for _, at in scale.ticks()
    ]
    bottom = _x_axis(parts, scale, bottom)
    return Plot(name, caption, help_, _svg([*grid, *parts], bottom, caption, help_))


def heat_map(name: str, caption: str, help_: str, rows: Mapping[str, Mapping[str, float | None]]) -> Plot:
    """A table of numbers from 0 to 1 whose cells have the stronger a colour the greater the number is among all.

    Columns that have no room beside each other go below, with the rows anew.

    Args:
        name: of the plot's file.
        caption: what it shows.
        help_: how to read it.
        rows: by name, the numbers by the columns' names; None, or nothing, where there is none.
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    known = [value for row in rows.values() for value in row.values() if value is not None]
    least, most = min(known), max(known)
    wide = max(_CELL, min(2.5 * _CELL, max(map(_text_width, columns)) + 8))
    room = int((_WIDTH - 3 * _EDGE) // wide)
    parts: list[Html] = []
    bottom = 4.0
    for some in (columns[first : first + room] for first in range(0, len(columns), room)):
        places = {column: 2 * _EDGE + wide * number for number, column in enumerate(some)}
        bottom += _LINE
        for column, left in places.items():
            parts.append(
                _text(
                    wrapped(column, wide - 4, most=1)[0], left + wide / 2, bottom - 4, class_="quiet", anchor="middle"
                )
            )
        for row, values in rows.items():
            for line in wrapped(row, _WIDTH - 2 * _EDGE):
                bottom += _LINE
                parts.append(_text(line, _EDGE, bottom - 4))
            for column, left in places.items():
                value = values.get(column)
                if value is None:
                    parts.append(_text("–", left + wide / 2, bottom + 14, class_="quiet", anchor="middle"))
                    continue
                # Pale enough for the text on it, in either scheme.
                share = 0.04 + 0.41 * ((value - least) / (most - least) if least < most else 1.0)
                told = element("title", f"{row}, {column}: {value:.4g}")
                box = _box(left + 1, bottom + 1, wide - 2, _ROW - 2, "cell", f"{share:.3f}")
                parts.append(element("g", told, box, class_="c0"))
                parts.append(_text(f"{value:.3f}", left + wide / 2, bottom + 14, class_="inside", anchor="middle"))
            bottom += _ROW
        bottom += 8
    return Plot(name, caption, help_, _svg(parts, bottom, caption, help_))


def _box(x: float, y: float, width: float, height: float, class_: str, opacity: str | None = None) -> Html:
    """A rectangle."""
    outline = f"M{_px(x)} {_px(y)}h{_px(width)}v{_px(height)}h{_px(-width)}Z"
    return element("path", class_=class_, d=outline, fill_opacity=opacity)


def _line(places: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_px(x)} {_px(y)}" for x, y in places)


def _legend(parts: list[Html], series: Mapping[str, int], *, dashed: bool | None, filled: bool = False) -> float:
    """Names of the series with their marks, where there is more than one; returns where they end.

    Args:
        parts: get them.
        series: the number of each one's colour and shape.
        dashed: whether lines are told apart by dashes; None: there are no lines.
        filled: whether the marks are pieces of bars.
    """
    if len(series) < 2:
        return 4.0
    left, bottom = _EDGE, _LINE
    for name, number in series.items():
        shown = wrapped(name, _WIDTH - 2 * _EDGE - 24, most=1)[0]
        width = 38 + _text_width(shown) + 16
        if left > _EDGE and left + width > _WIDTH - _EDGE:
            left, bottom = _EDGE, bottom + _LINE
        dash = _DASHES[number % len(_DASHES)] if dashed else None
        line = element("path", class_="curve", d=f"M{_px(left)} {_px(bottom - 4)}h30", stroke_dasharray=dash)
        point = _box(left, bottom - 11, 30, 13, "bar") if filled else _point(left + 15, bottom - 4, number)
        parts.append(element("g", *([] if dashed is None else [line]), point, class_=f"c{number % 8}"))
        parts.append(_text(shown, left + 36, bottom))
        left += width
    return bottom + 8


def _x_axis(parts: list[Html], scale: _Scale, y: float) -> float:
    """Ticks and the label below; returns where they end."""
    parts.append(element("line", class_="axis", x1=_px(scale.start - 6), x2=_px(scale.end + 6), y1=_px(y), y2=_px(y)))
    y += _LINE
    for tick, x in scale.ticks():
        parts.append(_text(_tick_text(tick), x, y, class_="quiet", anchor="middle"))
    for line in wrapped(scale.axis.label, _WIDTH - 2 * _EDGE):
        y += _LINE
        parts.append(_text(line, _WIDTH / 2, y, class_="quiet", anchor="middle"))
    return y + 8


def _svg(parts: Iterable[Html], height: float, title: str, description: str) -> Html:
    told = element("title", title), element("desc", description)
    box = f"0 0 {_px(_WIDTH)} {_px(height)}"
    return element("svg", *told, *parts, class_="plot", viewBox=box, width=_px(_WIDTH), height=_px(height), role="img")


def _text(text: str, x: float, y: float, *, class_: str | None = None, anchor: str | None = None) -> Html:
    return element("text", text, x=_px(x), y=_px(y), class_=class_, text_anchor=anchor)


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


# -- numbers --------------------------------------------------------------------------------------------------


class _Scale:
    """Where numbers lie along an axis.

    Args:
        axis: the axis.
        values: that must be on it.
        start: the coordinate of its beginning.
        end: that of its end.
    """

    def __init__(self, axis: Axis, values: Sequence[float], start: float, end: float) -> None:
        self.axis, self.start, self.end = axis, start, end
        least, most = min(values), max(values)
        if axis.zero:
            least, most = min(least, 0.0), max(most, 0.0)
        # A little room at both ends; more where there is one value alone.
        if axis.logarithmic:
            room = (most / least) ** 0.04 if least < most else 2.0
            least, most = least / room, most * room
        else:
            room = 0.04 * (most - least) or abs(least) / 10 or 1.0
            least, most = least - room, most + room
        self.low = least if axis.low is None else axis.low
        self.high = most if axis.high is None else axis.high

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.axis.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[tuple[float, float]]:
        """Round numbers on the axis, with their coordinates."""
        found = _log_ticks(self.low, self.high) if self.axis.logarithmic else _ticks(self.low, self.high)
        return [(tick, self(tick)) for tick in found]


def _ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers from `low` to `high`, equally far from each other."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten from `low` to `high`; where there are fewer than three, others as well."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        found = [factor * 10.0**power for power, factor in itertools.product(powers, factors)]
        found = [value for value in found if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        if len(found) > 2:
            return found
    return _ticks(low, high)


def _tick_text(value: float) -> str:
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"
    return text.replace("-", "\N{MINUS SIGN}")


# -- texts ----------------------------------------------------------------------------------------------------


def _text_width(text: str) -> float:
    """How wide a text is at most, in pixels, in whatever font a page is shown."""
    wide = sum(2 if unicodedata.east_asian_width(c) in "FW" else not unicodedata.combining(c) for c in text)
    return wide * _CHARACTER * _SIZE


def wrapped(text: str, width: float, most: int = 3) -> list[str]:
    """A text in lines that are no wider than `width` pixels, cut after blanks and signs where there are any.

    Args:
        text: the text.
        width: of the lines.
        most: how many lines; what is beyond them is left out, and an ellipsis says so.
    """
    found = [""]
    for piece in re.findall(r".[^\s/,;._-]*", text, re.DOTALL):
        if _text_width(found[-1] + piece) > width and found[-1]:
            found.append("")
        for character in piece:
            if _text_width(found[-1] + character) > width:
                found.append("")
            found[-1] += character
    found = [line.strip() for line in found]
    if len(found) > most:
        found = found[:most]
        while _text_width(found[-1] + "…") > width:
            found[-1] = found[-1][:-1]
        found[-1] += "…"
    return found
