"""Pages in a real browser: nothing that axe-core finds, nothing wider than the screen; light, dark, printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fleet.report import render
from fleet.results.folder import RunFolder
from tests.browser.conftest import AXE, LivePage, Open

ROOT = Path(__file__).parents[2]
WIDTHS, SCHEMES = (1280, 400), ("light", "dark")


def unfold(page: Page) -> None:
    """Open all that is folded: what is hidden is not looked at."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def violations(page: Page) -> list[dict[str, Any]]:
    """Of all rules that axe-core has, best practices too."""
    page.evaluate(AXE.read_text() + "; 0")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        {"rule": one["id"], "where": [node["html"][:200] for node in one["nodes"][:3]], "what": one["help"]}
        for one in found["violations"]
    ]


def check(page: Page, width: int) -> None:
    unfold(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_report(open_page: Open, report: str, width: int, scheme: str) -> None:
    check(open_page(report, viewport={"width": width, "height": 900}, color_scheme=scheme), width)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_comparison(open_page: Open, compared: str, width: int, scheme: str) -> None:
    check(open_page(compared, viewport={"width": width, "height": 900}, color_scheme=scheme), width)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_live_page(live: LivePage, open_page: Open, width: int, scheme: str) -> None:
    page = open_page(live.address, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.wait_for_selector("#events")
    check(page, width)


@pytest.mark.parametrize("run", ["kubevirt-density/reference", "wec-scaling/reference"])
def test_published_runs_made_again(open_page: Open, run: str, tmp_path: Path) -> None:
    """One of an experiment with a body of its own, one of the first format."""
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("run.json", "events.jsonl.gz"):
        (folder / name).write_bytes((ROOT / "results" / run / name).read_bytes())
    render(RunFolder.open(folder))
    check(open_page((folder / "report.html").as_uri(), viewport={"width": 400, "height": 900}), 400)


def test_without_a_script_the_report_is_whole(open_page: Open, report: str) -> None:
    page = open_page(report, java_script_enabled=False)
    assert page.locator(".switches").count() == 0
    assert page.locator("h2").count() >= 10
    for figure in page.locator("figure").all():
        assert figure.locator("svg").first.is_visible()
    legend = page.locator('figure[aria-label="Latency over the run"] .legend')
    assert legend.is_visible()
    assert "downsync" in (legend.text_content() or "")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_in_print_nothing_is_cut_and_what_only_a_pointer_uses_is_gone(
    open_page: Open, report: str, scheme: str, tmp_path: Path
) -> None:
    page = open_page(report, color_scheme=scheme, viewport={"width": 718, "height": 1000})  # A4 without its margins
    page.emulate_media(media="print", color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    cut = page.evaluate("""[...document.querySelectorAll('.scroll, .figures.wide')]
        .filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1)
        .map((one) => one.textContent.slice(0, 80))""")
    assert cut == []
    assert page.get_by_role("button", name="Whole drawing").count() == 0
    # Paper is white, whatever the screen has.
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(28, 33, 38)"
    printed = page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert printed.startswith(b"%PDF")


def test_the_live_page_follows_and_becomes_the_report(live: LivePage, open_page: Open) -> None:
    page = open_page(live.address)
    page.wait_for_selector("#events")
    page.get_by_role("button", name="e2e", exact=True).first.click()
    live.show(live.body.replace("<strong>running</strong>", "<strong>running</strong> still"))
    expect(page.locator(".verdict")).to_contain_text("still")
    # What the reader has switched off stays off in the next body, and the focus where it was.
    first = page.get_by_role("button", name="e2e", exact=True).first
    assert first.get_attribute("aria-pressed") == "false"
    assert page.evaluate("document.activeElement.textContent") == "e2e"
    live.freeze()
    page.wait_for_selector("#again")
    assert page.title().startswith("wec-scaling ")


def test_a_live_page_whose_run_is_gone_says_so(live: LivePage, open_page: Open) -> None:
    page = open_page(live.address, loses=True)
    page.wait_for_selector("#events")
    state = page.get_by_role("status")
    assert state.inner_text() == ""
    live.stop()
    expect(state).to_contain_text("cannot be reached")
    assert page.locator("#events").is_visible()
