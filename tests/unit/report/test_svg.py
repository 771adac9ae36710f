"""Drawings: what a reader reads in them, and that they can stand alongside each other on one page."""

from __future__ import annotations

import re

from fleet.analysis.setting import Setting
from fleet.report import plots
from fleet.report.svg import figure, inline


def drawn(name: str, text: str = "plain") -> str:
    with figure(3, 2) as (made, axes):
        axes.plot([0, 1, 2], [1, 3, 2])
        axes.set_xticks([0.025, 0.0125], ["0.025", "0.0125"])
        axes.set_title(text)
        return inline(made, name)


def test_a_tick_keeps_its_digits_while_coordinates_are_cut() -> None:
    svg = drawn("a")
    assert "0.0125" in svg
    paths = re.findall(r' d="([^"]*)"', svg)
    assert paths
    assert not any(re.search(r"\.\d{3}", path) for path in paths)


def test_the_same_bytes_each_time() -> None:
    assert drawn("a") == drawn("a")


def test_ids_of_two_drawings_do_not_collide() -> None:
    first, second = (set(re.findall(r' id="([^"]+)"', drawn(name))) for name in ("a", "b"))
    assert first
    assert first.isdisjoint(second)
    assert set(re.findall(r"url\(#([^)]+)\)", drawn("a"))) <= first


def test_colours_are_the_pages() -> None:
    svg = drawn("a")
    assert "var(--ink)" in svg
    assert "#01020" not in svg


def test_text_is_text_escaped_and_never_mathematics() -> None:
    svg = drawn("a", "<b>$x_1$</b>&")
    assert "&lt;b&gt;$x_1$&lt;/b&gt;&amp;" in svg


def test_many_samples_make_few_steps_and_the_last_is_kept() -> None:
    values = [float(number) for number in range(10_000)]
    svg = plots.distribution("downsync", {Setting("one-to-one", 5): values}, "x")
    assert len(svg) < 20_000
    assert "downsync" in svg


def test_one_wec_count_can_be_drawn() -> None:
    """A single point has no range: the axis must not warn about one (warnings are errors in tests)."""
    svg = plots.distribution("downsync", {Setting("one-to-one", 1): [2.0]}, "x")
    assert svg.startswith("<svg viewBox=")
