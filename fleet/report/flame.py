"""A flame graph of a profile as inline SVG: no JavaScript, no server; names show under the pointer."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from fleet.analysis.pprof import Profile

WIDTH = 1160.0
ROW = 17.0
_CHARACTER = 6.3
"""Mean width of a letter at 11 px, for cutting names."""
_LEAST = 0.0008
"""Share of the whole below which a frame is left out: less than a pixel."""
_DEEPEST = 60
_WARM = ("#e8b04a", "#e39b4b", "#dd8650", "#d97757", "#e6a36b", "#efc069", "#d9924f", "#e8bd7d")
_GROWN, _SHRUNK, _SAME = "#d9534f", "#5b9bd5", "#c9c9c9"


@dataclass(slots=True)
class Frame:
    """One function called by one chain of callers; values include everything called from it."""

    name: str
    value: int = 0
    before: int = 0
    """Of the older profile; 0 without one."""
    called: dict[str, Frame] = field(default_factory=dict)

    def take(self, functions: tuple[str, ...], value: int, *, before: bool) -> None:
        """Add one stack, root first."""
        frame = self
        frame.add(value, before=before)
        for name in functions:
            frame = frame.called.setdefault(name, Frame(name))
            frame.add(value, before=before)

    def add(self, value: int, *, before: bool) -> None:
        """Count a stack that passes through here."""
        if before:
            self.before += value
        else:
            self.value += value


@dataclass(frozen=True, slots=True)
class Box:
    """A frame with its place: depth from 0 (the root), left edge and width as shares of the whole."""

    frame: Frame
    depth: int
    left: float
    width: float


def tree(profile: Profile, sample_type: str = "", base: Profile | None = None) -> Frame:
    """All stacks folded from the root down. `base`: the older profile, whose values go into `before`."""
    root = Frame("all")
    for one in (profile, base):
        if one is not None:
            index = one.index(sample_type)
            for stack in one.stacks:
                root.take(stack.functions[::-1], stack.values[index], before=one is base)
    return root


def boxes(root: Frame) -> list[Box]:
    """The frames that are wide enough to be seen, callees below their callers, by name from the left."""
    return list(_placed(root, 0, 0.0, max(root.value, 1))) if root.value > 0 else []


def _placed(frame: Frame, depth: int, left: float, whole: int) -> Iterator[Box]:
    width = frame.value / whole
    if width < _LEAST or depth > _DEEPEST:
        return
    yield Box(frame, depth, left, width)
    for name in sorted(frame.called):
        callee = frame.called[name]
        yield from _placed(callee, depth + 1, left, whole)
        left += max(0, callee.value) / whole


def flame(profile: Profile, sample_type: str = "", base: Profile | None = None) -> str:
    """The `<svg>` element. With `base`, red grew and blue shrank since. Empty when nothing is there."""
    placed = boxes(tree(profile, sample_type, base))
    if not placed:
        return ""
    unit = profile.sample_types[profile.index(sample_type)].unit
    height = ROW * (max(box.depth for box in placed) + 1)
    shapes = "\n".join(_shape(box, placed[0].frame, unit, compared=base is not None) for box in placed)
    label = escape(f"Flame graph of {profile.sample_types[profile.index(sample_type)].type}")
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="{label}" font-size="11" '
        f'font-family="ui-monospace, Menlo, Consolas, monospace">\n{shapes}\n</svg>'
    )


def amount(value: float, unit: str) -> str:
    """`12.3 MiB`, `1.50 s`, `42`: with a minus sign when it is negative."""
    if unit == "bytes":
        steps = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
        size, name = next((step for step in steps if abs(value) >= step[0]), (1, "B"))
        return f"{value / size:.0f} B" if size == 1 else f"{value / size:.1f} {name}"
    if unit == "nanoseconds":
        return f"{value / 1e9:.2f} s" if abs(value) >= 1e9 else f"{value / 1e6:.1f} ms"  # noqa: PLR2004 - a second
    return f"{value:.0f}"


def _shape(box: Box, root: Frame, unit: str, *, compared: bool) -> str:
    x, y, width = box.left * WIDTH, box.depth * ROW, box.width * WIDTH
    told = f"{box.frame.name}: {amount(box.frame.value, unit)}, {box.width:.1%} of all"
    if compared:
        told += f", {'+' if box.frame.value >= box.frame.before else ''}"
        told += f"{amount(box.frame.value - box.frame.before, unit)} since"
    colour = _change(box.frame, root) if compared else _WARM[zlib.crc32(box.frame.name.encode()) % len(_WARM)]
    letters = int((width - 6) / _CHARACTER)
    text = ""
    if letters >= 3:  # noqa: PLR2004 - fewer say nothing
        short = box.frame.name.rpartition("/")[2]
        shown = short if len(short) <= letters else f"{short[: letters - 1]}\N{HORIZONTAL ELLIPSIS}"
        text = f'<text x="{x + 3:.1f}" y="{y + 12:.1f}" fill="#1c2126">{escape(shown)}</text>'
    return (
        f'<g><title>{escape(told)}</title><rect x="{x:.1f}" y="{y:.1f}" width="{max(width - 0.6, 0.3):.1f}" '
        f'height="{ROW - 1:.0f}" fill="{colour}"/>{text}</g>'
    )


def _change(frame: Frame, root: Frame) -> str:
    """A frame counts as changed from a hundredth of the whole."""
    moved = frame.value - frame.before
    if abs(moved) * 100 < root.value:
        return _SAME
    return _GROWN if moved > 0 else _SHRUNK
