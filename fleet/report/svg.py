"""Matplotlib figures as inline SVG: the same bytes each time, in the page's own colours and font."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#010203", "#010204", "#010205", "#010206"
"""Stand-ins that become the page's colours, so that one drawing serves the light and the dark page."""
ONE_TO_ONE, ONE_TO_MANY = "#010207", "#010208"
"""Stand-ins too: blue and vermilion of Okabe and Ito's palette, told apart with every kind of colour blindness."""
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


@contextmanager
def figure(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of that size in inches with one pair of axes, in the house style, without any window system."""
    import matplotlib as mpl  # noqa: PLC0415 - half a second that only a report pays
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(cast("Any", _STYLE)):
        made = Figure(figsize=(width, height), layout="constrained")
        yield made, made.add_subplot()


def inline(made: Figure, name: str) -> str:
    """The `<svg>` element: scales with its column; ids are prefixed by `name`, so figures of a page cannot collide."""
    out = io.StringIO()
    made.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', text, count=1)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    text = _ID.sub(lambda match: f' id="{name}-{match[1]}"' if match[1] in used else "", text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'xlink:href="#', f'href="#{name}-', text)
    text = re.sub(r"font: ?([0-9.]+)px [^;\"]*", r"font-size: \1px", text)
    # Coordinates to hundredths of a point, which is a third less; only inside tags, never in what a tick says.
    text = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\.\d\d)\d+", r"\1", tag[0]), text)
    for stand_in, colour in _PAGE_COLOURS.items():
        text = text.replace(stand_in, colour)
    return re.sub(r"\n\s*", "\n", text)
