"""Makes the pictures of the docs from a published run: `python -m tools.pictures` (needs Chromium).

The report is made again from the run's folder by today's code, and its first screen is photographed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fleet.report import render
from fleet.results.folder import RunFolder
from tools.links import ROOT

RUN = ROOT / "results" / "wec-scaling" / "reference"
IMAGES = ROOT / "docs" / "images"
DRAWING = "downsync-against-wec-count.svg"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1280, 1900
SECONDS = 120


def main() -> int:
    """Make them."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print(f"pictures: none of {', '.join(BROWSERS)} is in PATH", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        shutil.copytree(RUN, run)
        render(RunFolder(run))
        photograph(browser, run / "report.html", IMAGES / "report.png", Path(folder) / "profile")
    shutil.copyfile(RUN / DRAWING, IMAGES / DRAWING)
    return 0


def photograph(browser: str, page: Path, picture: Path, profile: Path) -> None:
    """The first screen of a page, in the light scheme."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
    command = [browser, *options, f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, timeout=SECONDS, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
