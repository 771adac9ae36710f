from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fleet.analysis.compare import Comparison, compare
from fleet.report.compare_html import page
from fleet.report.compare_plots import steps
from fleet.report.pages import page_script, script_digest
from tests.unit.analysis.simulator import Hops
from tests.unit.analysis.test_compare import study
from tests.unit.golden import check_golden
from tests.unit.report.made import run_record

A, B = "20261122T180000Z-0000000a", "20261122T190000Z-0000000b"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """B is slower in the fan-out, was limited differently and is named so that the page is always the same."""
    limits = {**run_record(B, 10).fleet.limits, "transport_its_qps": 1000.0}
    fleet = run_record(B, 10).fleet.model_copy(update={"limits": limits})
    a = study(tmp_path_factory.mktemp("a"), counts=(1, 10), hops=Hops(per_wec=20), record=run_record(A, 10))
    b = study(
        tmp_path_factory.mktemp("b"), counts=(1, 10), hops=Hops(per_wec=900, free=1), seed=2,
        record=run_record(B, 10).with_(fleet=fleet, started="2026-11-22T19:00:00Z"),
    )  # fmt: skip
    return compare(a, b)


@pytest.fixture(scope="module")
def text(found: Comparison) -> str:
    """The page, made once: its fifty drawings take seconds."""
    return page(found)


class Page(HTMLParser):
    """What a page has: its tags and their attributes, and the text outside of style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "svg" not in self.open:
            self.text += data


def test_the_page_is_the_golden_one(text: str) -> None:
    """Without the drawings: matplotlib's numbers may move by a version."""
    text = text.replace(page_script(), "").replace(script_digest(), "DIGEST")
    text = re.sub(r"<svg.*?</svg>", "<svg/>", text, flags=re.DOTALL)
    check_golden("report/compare.html", text)


def test_the_page_is_the_same_each_time(found: Comparison) -> None:
    few = replace(found, cells=[cell for cell in found.cells if cell.stage == "e2e"])
    assert page(few) == page(few)


def test_the_page_needs_nothing_from_outside(text: str) -> None:
    seen = Page(text)
    names = {tag for tag, _ in seen.tags}
    assert [attrs for tag, attrs in seen.tags if tag == "script"] == [{}]
    assert not names & {"link", "iframe", "img", "object", "base", "form"}
    assert not [attrs for _, attrs in seen.tags if any(name.startswith("on") for name in attrs)]
    policy = next(a["content"] for t, a in seen.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == (f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src '{script_digest()}'")
    identities = [attrs["id"] for _, attrs in seen.tags if "id" in attrs]
    assert len(identities) == len(set(identities))


def test_the_verdict_comes_first_and_every_headline_cell_is_drawn(text: str) -> None:
    assert text.index("<strong>worse</strong>") < text.index("<svg") < text.index("<table")
    labels = [attrs["aria-label"] for tag, attrs in Page(text).tags if tag == "figure"]
    for layout in ("1-to-1", "1-to-many"):
        for stage in ("downsync", "e2e"):
            for wecs in (1, 10):
                assert any(
                    label and label.startswith(f"{stage}, {layout}, {wecs} WEC{'s' if wecs > 1 else ''}: ")
                    for label in labels
                )
    assert "fleet.limits.transport_its_qps" in text


def test_names_from_outside_are_escaped(found: Comparison) -> None:
    evil = "<script>alert(1)</script>"
    run = found.a.run.model_copy(update={"id": evil})
    text = page(replace(found, a=replace(found.a, run=run), reasons=[evil], cells=()))
    assert evil not in text
    assert "&lt;script&gt;" in text


def test_a_refused_comparison_has_a_page_too(found: Comparison, tmp_path: Path) -> None:
    refused = compare(found.a, study(tmp_path, counts=(5,)))
    text = page(refused)
    assert "<strong>not comparable</strong>" in text
    assert "<svg" not in text
    assert "WEC counts that ran" in text


def test_steps_by_hand() -> None:
    assert steps([1.0, 2.0, 2.0, 5.0]) == ([1.0, 1.0, 2.0, 2.0, 5.0], [0.0, 0.25, 0.5, 0.75, 1.0])
    xs, ys = steps([float(n) for n in range(1, 1001)])
    assert (len(xs), xs[1], ys[1], xs[-1], ys[-1]) == (101, 10.0, 0.01, 1000.0, 1.0)
