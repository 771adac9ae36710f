"""The docs: the site builds without a warning, and every page that is named exists."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
