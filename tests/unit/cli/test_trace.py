"""`fleet trace`: what it prints and writes, and what it refuses before it works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet.model.trace import Header, Pod
from fleet.trace.file import Trace, read, write
from tests.unit.cli.conftest import Fleet


@pytest.fixture
def first(tmp_path: Path) -> Path:
    pods = tuple(
        Pod(t=n, key=f"p{n}", wait=0.5, life=10.0 + n, end="succeeded", exit=0, requests={"cpu": "1"})
        for n in range(20)
    )
    untold = {"node": "the source has none"}
    header = Header(source="test", pods=20, span=40, clock="object-s", complete=False, untold=untold, licence="CC0")
    write(tmp_path / "a.trace.jsonl", Trace(header, pods))
    return tmp_path / "a.trace.jsonl"


def test_show(fleet: Fleet, first: Path) -> None:
    ran = fleet("trace", "show", str(first))
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "source     test, clock object-s, not complete",
        "pods       20 over 40 s: 0.5 per second, 1 in the busiest",
        "at once    15 at most",
        "ends       succeeded 20",
        "owners     none 20",
        "wait       p50 0.5 s, p90 0.5 s, largest 0.5 s (of 20 pods)",
        "life       p50 19 s, p90 27 s, largest 29 s (of 20 pods)",
        "known      owner 0, requests 20, priority 0, node 0, wait 20, life 20, exit 20",
        "untold     node: the source has none",
        "licence    CC0",
    ]
    assert json.loads(fleet("trace", "show", str(first), "-o", "json").out)["ends"] == {"succeeded": 20}


def test_scale_and_drift(fleet: Fleet, first: Path, tmp_path: Path) -> None:
    out = tmp_path / "b.trace.jsonl"
    ran = fleet("trace", "scale", str(first), "-f", str(out), "--until", "10s", "--pods", "5", "--time", "0.5")
    assert (ran.code, ran.out) == (0, f"{out}\n")
    made = read(out)
    assert len(made.pods) == 5
    assert made.header.notes == ["pods that came from 0 s to 10 s", "5 of 10 pods, seed 1", "times multiplied by 0.5"]
    same = fleet("trace", "drift", str(first), str(out), "--speed", "2")
    assert same.code == 0
    assert "pods       5 in both, 15 in the first alone" in same.out
    far = fleet("trace", "drift", str(first), str(out))
    assert far.code == 3
    assert "error: the drift is 50.0%, above 5%" in far.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "audit", "x", "-f", "{first}"), "exists: choose another name, or replace it with --force"),
        (("import", "audits", "x", "-f", "y"), "there is no importer 'audits'; did you mean `audit`"),
        (("import", "google-2019", "x", "-f", "y", "--machine-cpu", "many"), "--machine-cpu: 'many' is not a quantity"),
        (("import", "audit", "no-such-file", "-f", "y"), "no-such-file: cannot be read"),
        (("import", "run", "no-such-folder", "-f", "y"), "no-such-folder"),
        (("scale", "{first}", "-f", "no/such/folder/y"), "there is no folder"),
        (("scale", "{first}", "-f", "y", "--pods", "99"), "--pods: 99 is not between 1 and the 20 pods"),
        (("scale", "{first}", "-f", "y", "--from", "soon"), "'soon' is not a duration"),
        (("show", "no-such"), "there is no trace 'no-such'"),
        (("record", "-f", "y", "--for", "5"), "'5' is not a duration"),
    ],
)
def test_what_is_refused(fleet: Fleet, first: Path, words: tuple[str, ...], said: str) -> None:
    ran = fleet("trace", *(word.format(first=first) for word in words))
    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert not Path("y").exists()
