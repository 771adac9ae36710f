from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet.results.folder import RunFolder
from tests.unit.analysis.simulator import Hops
from tests.unit.analysis.test_compare import study
from tests.unit.cli.conftest import Fleet
from tests.unit.golden import check_golden
from tests.unit.report.made import run_record

A, SLOW, SMALL, OTHER = (f"20261122T18000{n}Z-0000000{n}" for n in range(4))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results with four runs: A, one that is slower, two too small and one of another version."""
    root = tmp_path_factory.mktemp("results")

    def add(name: str, **options: object) -> None:
        record = run_record(name, 10)
        if name == OTHER:
            versions = {**record.fleet.versions, "ocm": "v1.3.0"}
            record = record.with_(fleet=record.fleet.model_copy(update={"versions": versions}))
        folder = study(root, record=record, **options)  # type: ignore[arg-type]
        written = next(path for path in (root / "wec-scaling").iterdir() if (path / "run.json").is_file()
                       and path.name not in (A, SLOW, SMALL, OTHER))  # fmt: skip
        assert folder.run.id == name
        written.rename(written.with_name(name))

    add(A, hops=Hops(per_wec=20))
    add(SLOW, hops=Hops(per_wec=900, free=1), seed=2)
    add(SMALL, counts=(10,), repeats=1, seed=3)
    add(OTHER, seed=4)
    assert RunFolder.open(root / "wec-scaling" / A).id == A
    return root


def test_worse_is_exit_3_and_fits_80_columns(fleet: Fleet, made: Path) -> None:
    ran = fleet("compare", A, SLOW, "--results", str(made))
    assert (ran.code, ran.err) == (3, "")
    check_golden("cli/compare.txt", ran.out)
    assert max(len(line) for line in ran.out.splitlines()[1:]) <= 80


def test_better_and_the_same_are_exit_0(fleet: Fleet, made: Path) -> None:
    assert fleet("compare", SLOW, A, "--results", str(made)).code == 0
    ran = fleet("compare", A, A, "--results", str(made))
    assert ran.code == 0
    assert ran.out.startswith(f"wec-scaling/{A} against wec-scaling/{A}: no difference\n")


def test_unlike_runs_are_refused_unless_forced(fleet: Fleet, made: Path) -> None:
    ran = fleet("compare", A, OTHER, "--results", str(made))
    assert ran.code == 2
    assert "! fleet.versions.ocm: v1.2.0 -> v1.3.0" in ran.out
    assert "--force" in ran.out
    assert fleet("compare", A, OTHER, "--force", "--results", str(made)).code in (0, 3)


def test_json_has_every_cell(fleet: Fleet, made: Path) -> None:
    document = json.loads(fleet("compare", A, SLOW, "-o", "json", "--results", str(made)).out)
    assert (document["kind"], document["verdict"], document["threshold"]) == ("Comparison", "worse", 0.1)
    cell = next(i for i in document["items"] if i["stage"] == "activation" and i["layout"] == "one-to-many")
    assert set(cell["shift"]) == {"estimate", "low", "high", "p", "design_effect"}
    assert cell["a"]["count"] == 30


def test_the_page_is_written_whole(fleet: Fleet, made: Path, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    fleet("compare", A, SMALL, "--out", str(target), "--results", str(made))
    assert target.read_text().rstrip().endswith("</html>")
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


@pytest.mark.parametrize("bad", ["10", "0%", "-5%", "ten", "", "nan%", "99999%"])
def test_a_threshold_without_a_unit_is_refused(fleet: Fleet, made: Path, bad: str) -> None:
    ran = fleet("compare", A, SLOW, f"--threshold={bad}", "--results", str(made))
    assert (ran.code, ran.out) == (2, "")
    assert "--threshold" in ran.err


def test_a_missing_run_or_folder_is_refused(fleet: Fleet, made: Path) -> None:
    assert fleet("compare", A, "nope", "--results", str(made)).code == 2
    ran = fleet("compare", A, SLOW, "--out", "no/such/page.html", "--results", str(made))
    assert ran.code == 2
    assert "no/such" in ran.err
