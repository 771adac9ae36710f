"""The view in the terminal: what it says, and that no line is wider than 80 columns."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from fleet.live.follow import Follower
from fleet.live.terminal import WIDTH, view
from fleet.results.events import Anomaly
from tests.unit.analysis.simulator import START_NS
from tests.unit.golden import check_golden
from tests.unit.report.made import simulated, weighed, write_run


def test_the_view_is_the_golden_one_and_fits(tmp_path: Path) -> None:
    trouble = Anomaly(ns=START_NS + 9_000_000_000, wall=0, what="late", cluster="wec002", text="[red]long [/] " * 20)
    folder = write_run(tmp_path, [*weighed(simulated([1, 4], repeats=2).ordered()), trouble], wecs=4)
    follower = Follower(folder, 12)
    while follower.look():
        pass
    study = follower.study()
    text = io.StringIO()
    address = "http://127.0.0.1:40123/0123456789abcdef0123456789abcdef/"
    Console(file=text, width=WIDTH, highlight=False).print(view(study, follower.progress(study), address))
    shown = "\n".join(
        line.rstrip() for line in text.getvalue().replace(folder.id, "20261122T180000Z-0000000a").split("\n")
    )
    check_golden("live/terminal.txt", shown)
    assert max(map(len, shown.split("\n"))) <= WIDTH
