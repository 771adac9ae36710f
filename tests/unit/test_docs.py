"""The docs: the site builds without a warning, and every page that is named exists."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import licences, prose, reference
from tools.links import ROOT, broken


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").is_file()


def test_no_link_leads_nowhere() -> None:
    assert list(broken(ROOT)) == []


def test_a_link_without_a_file_is_found(tmp_path: Path) -> None:
    docs = "docs"  # written apart, so that this file names no page that does not exist
    (tmp_path / docs).mkdir()
    (tmp_path / docs / "here.md").write_text(f"see [there](there.md) and `{docs}/here.md`\n")
    (tmp_path / "code.py").write_text(f'"""More in {docs}/gone.md."""\n')
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert sorted(broken(tmp_path)) == [
        f"code.py:1: {docs}/gone.md does not exist",
        f"{docs}/here.md:1: {docs}/there.md does not exist",
    ]


@pytest.mark.parametrize("name", reference.pages())
def test_the_reference_is_that_of_the_code(name: str) -> None:
    page = (ROOT / reference.FOLDER / name).read_text(encoding="utf-8")
    assert page == reference.pages()[name](), "run: python -m tools.reference"


def test_the_page_of_licences_is_of_todays_modules() -> None:
    assert f"sha256 {licences.digest()}." in licences.PAGE.read_text(encoding="utf-8"), "run: python -m tools.licences"


def test_the_prose_has_no_word_of_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert prose.main([]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "a.md",
            "The fix that was asked for.\n`anew` is code, and told is not.\n",
            {"asked for", "told"},
        ),
        (
            "a.py",
            "told = 1  # weighed\nsay = f'it {told} told'\nraise Error('a door')\n",
            {"weighed", "told", "door"},
        ),
        ("a.go", 'told := "told" // mend it\n', {"mend"}),
        ("a.yaml", "told: 1 # prose: allow\nname: Whose turn\n", {"Whose turn"}),
    ],
)
def test_words_of_the_list_are_found_in_prose_alone(name: str, text: str, words: set[str]) -> None:
    assert {found.word for found in prose.findings(ROOT / name, text, prose.rules())} == words
