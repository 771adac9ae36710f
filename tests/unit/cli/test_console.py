from __future__ import annotations

import io
import json

import pytest

from fleet.cli import units
from fleet.cli.console import Ink, clean, out_items, wants_colour
from fleet.cli.table import Cell, Column, render


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain \N{SNOWMAN}", "plain \N{SNOWMAN}"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("\x1b]52;c;QUJD\x1b\\clip", "clip"),
        ("\x1bPq#0\x1b\\sixel", "sixel"),
        ("a\x1b", "a"),
        ("a\rb\x00c\x7fd\x9be", "abcde"),
        ("\u202eabc", "abc"),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_foreign_text_is_cleaned(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, True),
        ({"TERM": "xterm"}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, False),
        ({"TERM": "dumb"}, False),
        ({"CI": "true"}, False),
        ({"CI": ""}, True),
    ],
)
def test_colour_only_where_it_is_wanted(environ: dict[str, str], wanted: bool) -> None:
    assert wants_colour(Terminal(), environ) is wanted
    assert wants_colour(io.StringIO(), environ) is False


def test_ink() -> None:
    assert Ink(colour=True)("bad", "fail") == "\x1b[31mbad\x1b[0m"
    assert Ink(colour=True)("plain", "") == "plain"
    assert Ink(colour=False)("bad", "fail") == "bad"


def test_lists_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    out_items("RunList", [])
    assert json.loads(capsys.readouterr().out) == {"apiVersion": "fleet.testbed/v1", "kind": "RunList", "items": []}
    out_items("RunList", [{"name": "\x1b[31m"}])
    assert "\x1b" not in capsys.readouterr().out


def test_columns_line_up_and_the_last_is_cut() -> None:
    columns = [Column("NAME"), Column("N", right=True), Column("TEXT")]
    rows = [["a", "5", "short"], ["longer", "1234", Cell("a text that is cut\x1b[2J", "fail")]]
    assert render(columns, rows, Ink(), width=24) == (
        "NAME       N  TEXT\na          5  short\nlonger  1234  a text th\N{HORIZONTAL ELLIPSIS}"
    )
    assert render(columns, [], Ink()) == "NAME  N  TEXT"


def test_colour_does_not_move_columns() -> None:
    rows = [[Cell("yes", "ok"), "x"], [Cell("no", "fail"), "y"]]
    coloured = render([Column("READY"), Column("X")], rows, Ink(colour=True))
    assert clean(coloured) == "READY  X\nyes    x\nno     y"
    assert coloured != clean(coloured)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (320 * 2**20, "320 MiB"), (1.5 * 2**30, "1.5 GiB")],
)  # fmt: skip
def test_sizes(count: float, shown: str) -> None:
    assert units.size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0s"), (59.9, "59s"), (187, "3m07s"), (7500, "2h05m"), (356400, "4d03h")]
)
def test_spans(seconds: float, shown: str) -> None:
    assert units.span(seconds) == shown


@pytest.mark.parametrize(("share", "shown"), [(0, "0.0%"), (0.0031, "0.3%"), (0.12, "12%"), (1.5, "150%")])
def test_shares_of_a_core(share: float, shown: str) -> None:
    assert units.cores(share) == shown
