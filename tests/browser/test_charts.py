"""Drawings under the pointer: values, zoom, series."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page

from fleet.analysis.study import analyse
from fleet.results.folder import RunFolder
from tests.browser.conftest import Open

CHART = 'figure[aria-label="Latency over the run"]'


def chart(page: Page) -> Locator:
    found = page.locator(f"{CHART} > svg")
    found.scroll_into_view_if_needed()
    return found


def place_of(svg: Locator, seconds: float, latency: float) -> tuple[float, float]:
    """Where that value is drawn on the screen, by the drawing's own statement of its axes."""
    return svg.evaluate(
        """(svg, [seconds, latency]) => {
          const at = (text, value) => { const [from, to, low, high] = text.split(' ').map(Number);
            return from + (value - low) / (high - low) * (to - from); };
          const point = new DOMPoint(at(svg.dataset.x, seconds), at(svg.dataset.y, latency));
          const there = point.matrixTransform(svg.getScreenCTM());
          return [there.x, there.y]; }""",
        [seconds, latency],
    )


def ticks(svg: Locator) -> list[str]:
    """The numbers of both axes that are shown."""
    found: list[str] = svg.evaluate(
        "(svg) => [...svg.querySelectorAll('.axis-x .tick text, .axis-y .tick text, .zoom-text')]"
        ".filter((one) => one.checkVisibility()).map((one) => one.textContent)"
    )
    return found


def test_the_value_under_the_pointer_is_that_of_the_sample(open_page: Open, report: str, folder: RunFolder) -> None:
    study = analyse(folder)
    sample = max(
        (s for s in study.samples if s.stage == "e2e" and s.counted and s.seconds), key=lambda s: s.seconds or 0
    )
    assert sample.end_ns is not None
    assert sample.seconds is not None
    at = (sample.end_ns - study.recorded.first_ns) / 1e9
    page = open_page(report)
    svg = chart(page)
    page.mouse.move(*place_of(svg, at, sample.seconds))
    series, when, latency = page.locator(".tip").inner_text().split("\n")
    assert series == "e2e"
    assert abs(float(when.partition(": ")[2]) - at) < 0.5  # a drawing has hundredths of a point
    assert abs(float(latency.partition(": ")[2]) - sample.seconds) < 0.02
    page.mouse.move(2, 2)
    assert page.locator(".tip").is_hidden()


def test_zoom_gives_new_ticks_moves_the_dots_and_goes_back(open_page: Open, report: str) -> None:
    page = open_page(report)
    svg = chart(page)
    before, dots = ticks(svg), svg.locator('[data-series="e2e"] path').get_attribute("d")
    box = svg.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=4)
    page.mouse.up()
    after = ticks(svg)
    assert len(after) >= 4
    assert after != before
    assert svg.locator('[data-series="e2e"] path').get_attribute("d") != dots
    across = [float(text) for text in after if re.fullmatch(r"[0-9.]+", text)]
    assert across
    page.locator(CHART).get_by_role("button", name="Whole drawing").click()
    assert ticks(svg) == before
    moved = [
        float(number)
        for number in re.findall(r"[\d.]+", svg.locator('[data-series="e2e"] path').get_attribute("d") or "")
    ]
    was = [float(number) for number in re.findall(r"[\d.]+", dots or "")]
    assert max(abs(a - b) for a, b in zip(moved, was, strict=True)) < 0.02


def test_a_series_is_switched_off_and_on_by_its_button_and_by_the_keyboard(open_page: Open, report: str) -> None:
    page = open_page(report)
    svg = chart(page)
    button = page.locator(CHART).get_by_role("button", name="e2e", exact=True)
    series = svg.locator('[data-series="e2e"]')
    assert series.is_visible()
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert series.is_hidden()
    button.press("Enter")
    assert series.is_visible()


def test_dots_of_no_length_are_drawn_round(open_page: Open, report: str) -> None:
    """With a flat end they would not be seen."""
    page = open_page(report)
    for dots in ("svg .dots", f'{CHART} [data-series="e2e"] path'):
        assert page.locator(dots).first.evaluate("(one) => getComputedStyle(one).strokeLinecap") == "round"


def test_cells_bars_and_faults_say_what_they_are(open_page: Open, report: str) -> None:
    page = open_page(report)
    for title, words in (
        ("Downsync of each WEC over time", r"wec\d{3}\n[0-9.]+ to [0-9.]+ s\nat [0-9.]+ s"),
        ("Where the time goes", r"one-to-(one|many), 8, [a-z -]+: [0-9.]+ s"),
        ("Downsync per WEC, sorted by lag", r"wec\d{3}: lag [-+][0-9.]+ s, median [0-9.]+ s, slowest [0-9.]+ s.*"),
    ):
        figure = page.locator(f'figure[aria-label="{title}"]')
        shape = figure.locator("[data-tip]").last
        shape.scroll_into_view_if_needed()
        place = shape.evaluate(
            """(one) => { const inner = one.querySelector('path, rect') || one;
              const b = inner.getBBox ? inner.getBoundingClientRect() : one.getBoundingClientRect();
              return [b.x, b.y, b.width, b.height]; }"""
        )
        found = ""
        for part in (0.5, 0.02, 0.98):
            page.mouse.move(place[0] + place[2] * part, place[1] + place[3] * 0.5)
            tip = page.locator(".tip")
            found = tip.inner_text() if tip.is_visible() else found
        assert re.fullmatch(words, found), (title, found)
