"""The talk's experiments on a small fleet: each in its quick form, a planted fight, a planted leak, comparisons.

`make test-talk` runs them: they change the fleet's limits and take minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.kube.resources import APPLIED_MANIFEST_WORKS, MANAGED_CLUSTERS, SECRETS, Resource
from tests.live.conftest import FAST, own_lab
from tests.live.lab import BIN, Lab, changed
from tests.live.planted import MANAGERS, fight, leaks
from tests.live.runs import no_fault, report_path
from tests.live.waiting import until_written

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("talk"),
    pytest.mark.skipif(os.environ.get("FLEET_TEST_TALK") != "1", reason="minutes: `make test-talk` runs it"),
]

WECS = 3
QUICK_SECONDS = 120
MIB = 1 << 20
AVAILABLE = ("ManagedClusterConditionAvailable", "True")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Dense WECs without the default 5 QPS."""
    with own_lab("t-talk", {"wec_count": WECS, "wds_count": 2, **FAST}) as made:
        made.playbook("site.yml").check()
        yield made


def words(lab: Lab, results: Path, experiment: str, *sets: str) -> list[str]:
    """The command of a run in its quick form."""
    chosen = [word for one in sets for word in ("--set", one)]
    return ["experiment", "run", experiment, "--quick", *chosen, "--fleet", lab.name, "--results", str(results)]


def ended(lab: Lab, code: int, out: str) -> dict[str, Any]:
    """`summary.json` of a run that measured everything."""
    path = report_path(lab, out)
    record = no_fault(path)
    summary: dict[str, Any] = json.loads((path.parent / "summary.json").read_text(encoding="utf-8"))
    assert all(row["missing"] == 0 for row in summary["rows"]), summary["rows"]
    assert code in (0, 3, 4)
    assert (code == 3) == bool(summary["failures"] and record["status"] == "valid"), summary["failures"]
    return summary | {"folder": path.parent}


def run(lab: Lab, results: Path, experiment: str, *sets: str, seconds: float = QUICK_SECONDS) -> dict[str, Any]:
    """A run in its quick form to its end, in less than so many seconds."""
    began = time.monotonic()
    ran = lab.fleet(*words(lab, results, experiment, *sets))
    took = time.monotonic() - began
    found = ended(lab, ran.code, ran.out)
    assert took < seconds, f"{took:.0f} s"
    return found


def points(summary: dict[str, Any], stage: str = "downsync") -> dict[str, int]:
    """Samples by point."""
    return {row["point"]: row["count"] for row in summary["rows"] if row["stage"] == stage}


def test_policy_scaling(lab: Lab, tmp_path: Path) -> None:
    found = run(lab, tmp_path, "policy-scaling")
    assert points(found) == {"policies=1": 2 * WECS, "policies=3": 6 * WECS}
    assert found["fights"] == []


def test_every_object_of_the_openshift_profile_arrives(lab: Lab, tmp_path: Path) -> None:
    """Image streams and routes too, whose CRDs the run brings."""
    sets = ["policies=[1]", "workload.profile=cluster-density-ms", "workload.objects=1"]
    found = run(lab, tmp_path, "policy-scaling", *sets)
    assert points(found) == {"policies=1": 38 * WECS}
    kinds = {line.split(",")[4] for line in (found["folder"] / "samples.csv").read_text().splitlines()[1:]}
    assert kinds == {"imagestream", "deployment", "service", "route", "secret", "configmap"}


def test_workload_size(lab: Lab, tmp_path: Path) -> None:
    found = run(lab, tmp_path, "workload-size")
    assert points(found) == {"objects=1 bytes=0": WECS, "objects=10 bytes=0": 10 * WECS}


def test_long_run(lab: Lab, tmp_path: Path) -> None:
    """Each pod came, completed, reported it and was deleted; a minute is too short to find leaks, and the report says
    so."""
    found = run(lab, tmp_path, "long-run")
    assert points(found) == points(found, "e2e") == {"": 12}
    assert {leak["verdict"] for leak in found["leaks"]} == {"too short to tell"}
    programs = {leak["program"] for leak in found["leaks"] if leak["quantity"] == "goroutines"}
    assert {"transport.wds1", "ocm-agent.wec001", "registration.its1"} <= programs
    assert list((found["folder"] / "profiles" / "transport.wds1").glob("heap-*.pb.gz"))


def test_wds_scaling(lab: Lab, tmp_path: Path) -> None:
    """Both WDSes serve again when it has ended."""
    found = run(lab, tmp_path, "wds-scaling", seconds=300)  # with two times `fleet up`
    assert points(found) == {"wdses=1": 4 * WECS, "wdses=2": 4 * WECS}
    assert points(found, "e2e") == {"wdses=1": 4, "wdses=2": 4}
    rows = (found["folder"] / "samples.csv").read_text().splitlines()[1:]
    assert {row.rpartition(",")[2] for row in rows if ",wdses=2," in row} == {"wds1", "wds2"}
    one, two = found["sharing"]
    assert one["its_requests"] > 0
    assert two["wds_rss_bytes"] > one["wds_rss_bytes"] > 100 * MIB
    programs = {one["program"] for one in json.loads((lab.folder / "fleet.json").read_text())["components"]}
    assert {"transport.wds1", "transport.wds2"} <= programs


def test_wdses_come_and_go(lab: Lab) -> None:
    """A third one with all that belongs to it, and nothing of it afterwards; a second run changes nothing."""
    before = {path for path in lab.folder.rglob("*") if "wds" in path.name}
    lab.playbook("site.yml", wds_count=3).check()
    assert changed(lab.playbook("site.yml", wds_count=3).check()) == 0
    assert "transport.wds3" in (lab.folder / "fleet.json").read_text()
    lab.playbook("site.yml").check()
    assert changed(lab.playbook("site.yml").check()) == 0
    assert "wds3" not in (lab.folder / "fleet.json").read_text()
    left = {path for path in lab.folder.rglob("*") if "wds" in path.name} - before
    assert {path for path in left if path.suffix != ".log"} == set()
    assert "wds3" not in (lab.folder.parent / "ports.json").read_text()


def objects(lab: Lab, cluster: str, resource: Resource) -> list[dict[str, Any]]:
    """What that cluster has of a kind."""

    async def ask() -> list[dict[str, Any]]:
        async with lab.client(cluster) as client:
            return await client.list_all(resource)

    return asyncio.run(ask())


def named(lab: Lab, cluster: str, resource: Resource) -> set[str]:
    """Their names."""
    return {str(item["metadata"]["name"]) for item in objects(lab, cluster, resource)}


def registered_at(lab: Lab, its: str) -> set[str]:
    """ManagedClusters of that ITS that are Available."""
    return {
        str(item["metadata"]["name"])
        for item in objects(lab, its, MANAGED_CLUSTERS)
        if any((c["type"], c["status"]) == AVAILABLE for c in item["status"].get("conditions", []))
    }


def test_each_wds_can_have_an_its_of_its_own(lab: Lab, tmp_path: Path) -> None:
    """The same experiment on two ITSes: each WEC is a member of both, nothing is lost, and nothing is left of it."""
    wecs = {f"wec{number:03d}" for number in range(1, WECS + 1)}
    before = {path for path in lab.folder.rglob("*") if "its2" in str(path.relative_to(lab.folder))}
    lab.playbook("site.yml", its_count=2).check()
    assert changed(lab.playbook("site.yml", its_count=2).check()) == 0
    assert registered_at(lab, "its1") == registered_at(lab, "its2") == wecs
    fleet = json.loads((lab.folder / "fleet.json").read_text())
    programs = {one["program"]: one for one in fleet["components"]}
    assert "--its-name=its2" in programs["controller-manager.wds2"]["argv"]
    assert {f"ocm-agent-its2.{wec}" for wec in wecs} | {"status-agent-its2", "registration.its2"} <= programs.keys()

    found = run(lab, tmp_path, "wds-scaling", seconds=300)
    assert points(found) == {"wdses=1": 4 * WECS, "wdses=2": 4 * WECS}
    assert points(found, "e2e") == {"wdses=1": 4, "wdses=2": 4}
    one, two = found["sharing"]
    assert (one["itses"], two["itses"]) == (1, 2)
    assert two["its_rss_bytes"] > one["its_rss_bytes"] > 100 * MIB
    assert one["agents_rss_bytes"] > 10 * MIB

    lab.playbook("site.yml").check()
    assert changed(lab.playbook("site.yml").check()) == 0
    assert "its2" not in (lab.folder / "fleet.json").read_text()
    left = {path for path in lab.folder.rglob("*") if "its2" in str(path.relative_to(lab.folder))} - before
    assert {path for path in left if path.suffix != ".log"} == set()
    assert "its2" not in (lab.folder.parent / "ports.json").read_text()
    assert registered_at(lab, "its1") == wecs
    for wec in wecs:
        assert "hub-kubeconfig-secret" in named(lab, wec, SECRETS)
        assert "hub-kubeconfig-secret-its2" not in named(lab, wec, SECRETS)
        assert named(lab, wec, APPLIED_MANIFEST_WORKS) == set()
    assert points(run(lab, tmp_path, "wds-scaling", seconds=300)) == {"wdses=1": 4 * WECS, "wdses=2": 4 * WECS}


def test_a_planted_fight_is_found_and_named(lab: Lab, tmp_path: Path) -> None:
    command = words(lab, tmp_path, "policy-scaling", "policies=[1]", "after=20s")
    running = lab.start([str(BIN / "fleet"), *command])
    try:
        until_written(tmp_path, running, b'"step":"after","edge":"begin"')
        name = asyncio.run(fight(lab, "wec001", rounds=8, pause=0.5))
        out, _ = running.communicate(timeout=300)
    finally:
        running.kill()
    found = ended(lab, running.returncode, out)
    (one,) = found["fights"]
    assert (one["cluster"], one["resource"], one["managers"]) == ("wec001", "deployments", list(MANAGERS))
    assert one["example"].endswith(f"/{name}")
    assert found["findings"][0].startswith(f"{MANAGERS[0]} and {MANAGERS[1]} fight over deployments ")
    assert found["failures"][0]["stage"] == "fights"


FEW = ("workload.kind=configmap", "workload.objects=4", "repeats=6")
"""72 copies of little work: most of what is measured is the fixed hold-back, which a busy machine does not change; at
5 requests a second with a burst of 10, more than half of the copies wait for seconds. Six trials: what a neighbour does
to one of three keeps the interval wider than the 10 % that matter."""
FEW_SECONDS = 300


@pytest.fixture(scope="module")
def fast(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs of the same kind."""
    results = tmp_path_factory.mktemp("fast")
    one, two = (run(lab, results, "wec-scaling", *FEW, seconds=FEW_SECONDS)["folder"] for _ in range(2))
    return one, two


def outcome(lab: Lab, a: Path, b: Path, code: int) -> str:
    """The verdict of `fleet compare`, which ends with that code."""
    compared = lab.fleet("compare", str(a), str(b), "-o", "json").check(code)
    told: str = json.loads(compared.out)["verdict"]
    return told


def test_two_runs_of_a_kind_do_not_differ(lab: Lab, fast: tuple[Path, Path]) -> None:
    assert outcome(lab, *fast, 0) == "no difference"


def test_a_run_is_reproduced_on_a_fleet_that_is_alike(lab: Lab, fast: tuple[Path, Path], tmp_path: Path) -> None:
    ran = lab.fleet("reproduce", str(fast[0]), "--fleet", lab.name, "--results", str(tmp_path))
    assert ran.code in (0, 4), ran
    # Where others load the machine meanwhile, the interval may be too wide to tell; the test above requires more.
    assert any(f": {verdict}\n" in ran.out for verdict in ("no difference", "too few to tell")), ran.out
    assert list(tmp_path.rglob("reproduced.html"))


def test_client_limits(lab: Lab, tmp_path: Path) -> None:
    """The fleet gets the charts' limits for the point, and its own ones back."""
    before = json.loads((lab.folder / "fleet.json").read_text())["limits"]
    found = run(lab, tmp_path, "client-limits", seconds=300)  # two times `fleet up`, which are not of the quick form
    assert points(found) == {"qps=5 burst=10": 10 * WECS}
    assert json.loads((lab.folder / "fleet.json").read_text())["limits"] == before


def test_a_planted_leak_is_found_and_named_with_its_site(lab: Lab, tmp_path: Path) -> None:
    """Two programs that do the same work; one keeps 1 KiB of each object. The other one is the control."""
    sets = [
        "duration=240s", "compression=1", "sample_interval=2s", "workload.lifetime=2s", "leak.shortest=60s",
        "load.steppedLoad.burstSize=2", "load.steppedLoad.stepDelay=1s", "profiles.programs=[leaky]", "thresholds=[]",
    ]  # fmt: skip
    with leaks(lab) as (kept, dropped):
        found = run(lab, tmp_path, "long-run", *sets, seconds=400)
    memory = {leak["program"]: leak for leak in found["leaks"] if leak["quantity"] == "resident memory"}
    assert memory[kept]["verdict"] == "leaking", memory[kept]
    assert memory[kept]["sites"][0][0] == "main.(*store).keep"
    assert memory[kept]["sites"][0][1] > MIB
    assert memory[dropped]["verdict"] == "steady", memory[dropped]
    assert any(text.startswith(f"{kept} leaks resident memory") and "keep" in text for text in found["findings"])
    assert not any(text.startswith(dropped) for text in found["findings"])


def test_the_charts_limits_are_told_from_raised_ones(lab: Lab, fast: tuple[Path, Path], tmp_path: Path) -> None:
    """Last: the fleet keeps the charts' limits."""
    lab.playbook("site.yml", transport_its_qps=5, transport_its_burst=10).check()
    slow = run(lab, tmp_path, "wec-scaling", *FEW, seconds=FEW_SECONDS)["folder"]
    assert outcome(lab, fast[0], slow, 3) == "worse"
    assert outcome(lab, slow, fast[0], 0) == "better"
