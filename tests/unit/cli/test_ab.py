"""`fleet ab` up to where it builds: what is refused before anything is touched. The rest is tests/live/test_ab.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.analysis.simulator import Hops
from tests.unit.analysis.test_compare import study
from tests.unit.cli.conftest import Fleet
from tests.unit.report.made import run_record


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("default", "transport_its_qp=5"), "variant B: transport_its_qp: there is no such variable; did you mean"),
        (("wec_count=-1", "default"), "variant A: wec_count"),
        (("default", "workload.objekts=5"), "workload.objekts"),
        (("default", "nothing.yaml"), "nothing.yaml: does not exist"),
        (("default", "default", "--threshold", "10"), "--threshold"),
        (("default", "default", "--budget", "5"), "--budget"),
        (("default", "default", "--experiment", "wec-scalin"), "did you mean `wec-scaling`?"),
        (("default", "default", "--apart", "--keep"), "give one of them"),
        (("default", "default", "-i", "no-such-inventory"), "no-such-inventory does not exist"),
        (("default", "default", "--pairs", "2"), "--pairs"),
    ],
)
def test_wrong_input_builds_nothing(fleet: Fleet, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    ran = fleet("ab", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not (tmp_path / "state").exists()
    assert not (tmp_path / "work" / "results").exists()


FAKE = """
import json, os, pathlib, shutil, sys
here = pathlib.Path(__file__).parents[1]
with open(here.parent / "calls", "a") as log:
    log.write(f"{here.name} {' '.join(w for w in sys.argv[1:3] if not w.startswith('-'))} "
              f"{sys.argv[sys.argv.index('--fleet') + 1]} {'FLEET_PAIRS' in os.environ}\\n")
if sys.argv[1:3] == ["experiment", "run"]:
    ready = sorted(here.glob("ready/*"))
    if not ready:
        sys.exit("there is no room")
    root = pathlib.Path(sys.argv[sys.argv.index("--results") + 1]) / "wec-scaling"
    root.mkdir(parents=True, exist_ok=True)
    print(shutil.move(ready[0], root / ready[0].name) / "report.html")
"""
"""A checkout of another version, whose runs are ready made: what its `fleet` is asked, and in which order."""


@pytest.fixture
def checkouts(tmp_path: Path) -> Path:
    """Variants `slow.yaml` and `fast.yaml`, each with four runs that have happened."""
    for name, bind in (("fast", 2000), ("slow", 4000)):
        package = tmp_path / name / "fleet"
        package.mkdir(parents=True)
        (tmp_path / name / "site.yml").touch()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(FAKE)
        (tmp_path / f"{name}.yaml").write_text(f"checkout: {name}\n")
        for seed in range(4):
            run = f"20261122T18000{seed}Z-0000{bind}"
            hops = Hops(bind=bind, jitter=5)
            study(tmp_path / "made", counts=(4,), seed=seed, hops=hops, record=run_record(run, 4))
            (made,) = (tmp_path / "made" / "wec-scaling").iterdir()
            (tmp_path / name / "ready").mkdir(exist_ok=True)
            made.rename(tmp_path / name / "ready" / run)
    return tmp_path


def calls(checkouts: Path, command: str) -> list[str]:
    return [line for line in (checkouts / "calls").read_text().splitlines() if f" {command} " in line]


def test_runs_take_turns_and_the_answer_is_written(fleet: Fleet, checkouts: Path, tmp_path: Path) -> None:
    words = (str(checkouts / "fast.yaml"), str(checkouts / "slow.yaml"), "--pairs", "4", "-o", "json")
    ran = fleet("ab", *words, "--results", str(tmp_path / "r"))
    assert ran.code == 3
    document = json.loads(ran.out)
    assert (document["verdict"], document["known"]) == ("worse", True)
    assert calls(checkouts, "up") == ["fast up ab-a False", "slow up ab-b False"]
    runs = [line.split()[0] for line in calls(checkouts, "experiment run")]
    pairs = list(zip(runs[::2], runs[1::2], strict=True))
    assert len(pairs) == len(document["pairs"])
    assert all(set(pair) == {"fast", "slow"} for pair in pairs)
    assert pairs[0] != pairs[1]
    assert calls(checkouts, "down") == ["fast down ab-a False", "slow down ab-b False"]
    (file,) = (tmp_path / "r" / "ab").glob("*/ab.json")
    assert json.loads(file.read_text())["stages"] == document["items"]
    assert file.with_name("ab.md").read_text().startswith("### worse: B is slower than A.")


def test_what_fails_is_said_and_the_fleets_go(fleet: Fleet, checkouts: Path, tmp_path: Path) -> None:
    words = (str(checkouts / "fast.yaml"), str(checkouts / "fast.yaml"), "--pairs", "5", "--apart")
    ran = fleet("ab", *words, "--results", str(tmp_path / "r"))
    assert ran.code == 1
    assert "`fleet experiment run` ended with 1:\n       there is no room" in ran.err
    ups, downs = calls(checkouts, "up"), calls(checkouts, "down")
    assert (len(ups), len(downs)) == (5, 6)  # one fleet for both; after each run, and once more at the end
    assert len(list((tmp_path / "r" / "ab").glob("*/ab.json"))) == 1
