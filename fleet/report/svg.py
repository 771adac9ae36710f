"""Matplotlib figures as inline SVG: the same bytes each time, in the page's own colours and font."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#010203", "#010204", "#010205", "#010206"
"""Stand-ins that become the page's colours, so that one drawing serves the light and the dark page."""
ONE_TO_ONE, ONE_TO_MANY = "#010207", "#010208"
"""Stand-ins too: blue and vermilion of Okabe and Ito's palette, distinguished with every kind of colour blindness."""
LAYOUT_COLOURS = {"": ONE_TO_ONE, "one-to-one": ONE_TO_ONE, "one-to-many": ONE_TO_MANY}
_PAGE_COLOURS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    ONE_TO_ONE: "var(--one)",
    ONE_TO_MANY: "var(--many)",
}
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f")

_STYLE: dict[str, Any] = {
    "svg.hashsalt": "fleet",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "path.simplify": True,
}

_ID = re.compile(r' id="([^"]+)"')
_PLACED = re.compile(r' (?!id=)[\w:-]+="[^"]*"')
"""An attribute that may hold coordinates."""
_SERIES, _TIP = "series:", "tip:"
_PARTS = {"matplotlib.axis_1": "axis-x", "matplotlib.axis_2": "axis-y", "legend_1": "legend"}

Scale = Literal["linear", "log", "share", "nines", "words"]
"""How the page's script reads an axis. share: 0 to 1, shown as per cent; nines: 1 / (1 - share), shown as percentile;
words: names, which have no values in between."""


def named(artist: Artist, series: str) -> None:
    """Make a line, dots or a band a part of a series: the script shows its values and switches it."""
    artist.set_gid(_SERIES + quote(series, safe=""))


def explained(artist: Artist, text: str) -> None:
    """Give a bar or a span a text that shows under the pointer."""
    artist.set_gid(_TIP + quote(text, safe=""))


def dots(axes: Axes, points: Sequence[tuple[float, float]], colour: str, series: str) -> None:
    """A dot per point, all in one path: lines of no length with round ends, which is a quarter of the bytes."""
    from matplotlib.patches import PathPatch  # noqa: PLC0415 - as in `figure`
    from matplotlib.path import Path  # noqa: PLC0415

    path = Path([corner for point in points for corner in (point, point)], [Path.MOVETO, Path.LINETO] * len(points))
    path.should_simplify = False
    patch = PathPatch(path, facecolor="none", edgecolor=colour, linewidth=3, capstyle="round", alpha=0.75)
    named(patch, series)
    axes.add_patch(patch)


@contextmanager
def figure(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of that size in inches with one pair of axes, in the house style, without any window system."""
    import matplotlib as mpl  # noqa: PLC0415 - half a second that only a report pays
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(cast("Any", _STYLE)):
        made = Figure(figsize=(width, height), layout="constrained")
        yield made, made.add_subplot()


def plain_log(axis: Axis, scale: Callable[[str], None]) -> None:
    """A logarithmic axis with numbers as they are written: powers would need math text."""
    from matplotlib.ticker import FuncFormatter, NullFormatter  # noqa: PLC0415 - as in `figure`

    scale("log")
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def inline(made: Figure, name: str, x: Scale = "linear", y: Scale = "linear") -> str:
    """The `<svg>` element: scales with its column; ids are prefixed by `name`, so figures of a page cannot collide.

    It carries what the page's script needs: where its axes are and what they are of, which shapes are a series.
    """
    out = io.StringIO()
    made.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', text, count=1)
    # Coordinates to hundredths of a point, which is a third less; only inside tags, never in what a tick says.
    text = re.sub(r"<[^>]*>", lambda tag: _PLACED.sub(_rounded, tag[0]), text)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    text = _ID.sub(lambda match: _identity(match[1], name, used), text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'xlink:href="#', f'href="#{name}-', text)
    text = re.sub(r"font: ?([0-9.]+)px [^;\"]*", r"font-size: \1px", text)
    text = text.replace(' aria-hidden="true">', f' aria-hidden="true"{_axes(made, x, y)}>', 1)
    for stand_in, colour in _PAGE_COLOURS.items():
        text = text.replace(stand_in, colour)
    return re.sub(r"\n\s*", "\n", text)


def _rounded(attribute: re.Match[str]) -> str:
    return re.sub(r"(\.\d\d)\d+", r"\1", attribute[0])


def _identity(identity: str, name: str, used: set[str]) -> str:
    """The attribute instead of an id that matplotlib wrote."""
    for prefix, attribute in ((_SERIES, "series"), (_TIP, "tip")):
        if identity.startswith(prefix):
            return f' data-{attribute}="{escape(unquote(identity.removeprefix(prefix)))}"'
    if identity in _PARTS:
        return f' class="{_PARTS[identity]}"'
    if identity.startswith(("xtick_", "ytick_")):
        return ' class="tick"'
    return f' id="{name}-{identity}"' if identity in used else ""


def _axes(made: Figure, x: Scale, y: Scale) -> str:
    """Of both axes (one pair): from and to in the drawing's units, the values there, scale and name."""
    (axes,) = made.axes
    place = axes.get_position()
    width, height = (inches * 72 for inches in made.get_size_inches())
    ends = {
        "x": (place.x0 * width, place.x1 * width, *axes.get_xlim()),
        "y": ((1 - place.y0) * height, (1 - place.y1) * height, *axes.get_ylim()),
    }
    scales = {"x": x, "y": y}
    scales |= {key: "log" for key, set_to in (("x", axes.get_xscale()), ("y", axes.get_yscale()))
               if set_to == "log" and scales[key] == "linear"}  # fmt: skip
    names = {"x": axes.get_xlabel(), "y": axes.get_ylabel()}
    return "".join(
        f' data-{key}="{" ".join(f"{value:.6g}" for value in ends[key])} {scales[key]} {escape(names[key])}"'
        for key in ("x", "y")
    )
