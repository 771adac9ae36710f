"""`hub-upgrade`: its file, its moments, and how long nothing arrived. Whole runs: tests/live/test_managers.py."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fleet.analysis.samples import Sample
from fleet.analysis.study import analyse
from fleet.errors import SpecError
from fleet.experiment.reconfigure import Release
from fleet.experiments.hub_upgrade.analysis import findings, longest_gap
from fleet.experiments.hub_upgrade.experiment import EXPERIMENT
from fleet.experiments.hub_upgrade.spec import CONTROL, HubUpgrade
from fleet.managers.installer import installer, not_had
from fleet.model.fleet_file import FleetFile, ManagerOf
from fleet.results.events import FaultHealed, FaultInjected
from fleet.results.folder import RunFolder
from tests.unit.experiment.test_managers import SHORT, ocm, ran  # noqa: F401 - `ocm` is a fixture
from tests.unit.report.made import fleet_file

SECOND = 1_000_000_000


def spec(**fields: Any) -> HubUpgrade:
    return HubUpgrade.model_validate({"experiment": "hub-upgrade", **fields})


def of(manager: str) -> FleetFile:
    return fleet_file(2).model_copy(update={"manager": ManagerOf(name=manager, source="hub", transport="hub")})


def sample(start: float | None, end: float | None) -> Sample:
    return Sample(
        trial="t000", repeat=0, layout="one-to-many", wecs=1, policy="p", kind="configmap", namespace="n", name="o",
        cluster="wec001", stage="downsync", start_ns=None if start is None else int(start * SECOND),
        end_ns=None if end is None else int(end * SECOND), seconds=None, server_seconds=None, flags=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"load": {"parallelismLimitedLoad": {"parallelismLimit": 4}}}, "load: one that waits for answers"),
        ({"workload": {"objects": 20}}, "at: the load of 20 objects is over after 9.5 s, .* at 15 s"),
        ({"upgrades": [{}, {}]}, "upgrades: each once"),
        ({"upgrades": [{"to": "1.2"}]}, "should match pattern"),
        ({"during": [{"at": "1s", "action": "stop", "target": "wec001", "for": "1s"}]}, "during: the upgrade is"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        spec(**fields)


@pytest.mark.parametrize(
    ("manager", "upgrade", "field", "said"),
    [
        ("ocm", {"from": "v9.9.9"}, "upgrades.0.from", "v9.9.9 cannot be had: write v1.2.0 or v1.0.0, the versions"),
        ("kubefleet", {"to": "v0.13.0"}, "upgrades.0.to", "leave it empty, for the one version of kubefleet"),
    ],
)
def test_a_version_that_cannot_be_had_is_refused(manager: str, upgrade: dict[str, str], field: str, said: str) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        EXPERIMENT.check(spec(upgrades=[upgrade]), of(manager))
    assert caught.value.field == field


def test_a_version_that_is_not_built_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLEET_CACHE_DIR", str(tmp_path))
    with pytest.raises(SpecError, match=r"not built: run `fleet toolchain build --for manager:ocm@v1\.0\.0`"):
        EXPERIMENT.check(spec(upgrades=[{"to": "v1.0.0"}]), of("ocm"))
    EXPERIMENT.check(spec(), of("ocm"))


def test_the_versions_of_a_manager() -> None:
    assert not_had(installer("ocm"), "") == not_had(installer("ocm"), "v1.0.0") == ""


def test_a_gap_is_a_time_in_which_something_was_under_way_and_nothing_came() -> None:
    steady = [sample(at, at + 0.5) for at in range(10)]
    assert longest_gap(steady, 0, 20 * SECOND) == 0.5, "between objects nothing was due"
    held = [sample(at, 6.0 + at / 100 if 2 <= at < 6 else at + 0.5) for at in range(10)]
    assert longest_gap(held, 0, 20 * SECOND) == pytest.approx(4.02), "from the acceptance of the first that waited"
    assert longest_gap(held, 3 * SECOND, 20 * SECOND) == pytest.approx(3.02), "from the order to replace on"
    lost = [*steady, sample(4.0, None)]
    assert longest_gap(lost, 0, 20 * SECOND) == 10.5, "what never came is under way to the end"
    assert longest_gap([], 0, SECOND) == 0.0


async def test_the_manager_is_replaced_while_the_load_goes_on(ocm: Any) -> None:  # noqa: F811 - the fixture
    given: list[Release] = []

    async def reconfigure(*wanted: Any) -> None:
        given.append(wanted[4])
        await asyncio.sleep(0.2)

    fields = {
        **SHORT, "experiment": "hub-upgrade", "name": "hub-upgrade", "layouts": ["one-to-many"], "wecs": "fleet",
        "workload": {"kind": "configmap", "objects": 12}, "load": {"globalQPSLoad": {"qps": 10}}, "at": "300ms",
        "repeats": 2,
    }  # fmt: skip
    outcome = await ran(ocm, spec(**fields), reconfigure=reconfigure)
    study = analyse(RunFolder.open(outcome.folder))
    assert study.checked.findings == ()
    assert [(one.version, bool(one.restart)) for one in given] == [("", True), ("", True), ("", False)]
    assert len({one.restart for one in given}) == 3, "another word each time: everything starts again"
    injected = [line for line in study.recorded.troubles if isinstance(line, FaultInjected)]
    healed = [line for line in study.recorded.troubles if isinstance(line, FaultHealed)]
    assert len(injected) == len(healed) == 2
    assert {line.action for line in injected} == {"upgrade"}
    points = {plan.trial: plan.point for plan in study.recorded.trials}
    assert {points[line.trial] for line in injected} == {"restart"}
    assert CONTROL in points.values()
    found = findings(study.run, study.recorded, study.folder)
    (row,) = found.tables[0].rows
    assert (row[0], row[3], row[-2:]) == ("restart", 2, [2 * 12 * 2, 0])
    assert "0 of 48 copies were lost" in found.said[0]
