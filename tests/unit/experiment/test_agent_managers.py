"""The same runner under managers whose agents fetch Works, over fake API servers: Karmada and KubeFleet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleet.errors import FleetError
from fleet.experiment.cleanup import clean_fleet
from fleet.kube import resources
from tests.unit.experiment.agent_fleets import KarmadaFleet, KubeFleetFleet, WorkFleet
from tests.unit.experiment.stand_in import POLL_SECONDS
from tests.unit.experiment.test_managers import counted, ran, spec
from tests.unit.experiment.test_runner import faults

FLEETS = [KarmadaFleet, KubeFleetFleet]


async def started(fleet_class: type[WorkFleet], folder: Path) -> WorkFleet:
    (folder / "state").mkdir(mode=0o700)
    return fleet_class(folder / "state", 2)


async def left(fleet: WorkFleet) -> list[str]:
    """What stays when its controllers have come to rest."""
    for _ in range(100):
        if not fleet.leftovers():
            break
        await asyncio.sleep(POLL_SECONDS)
    return fleet.leftovers()


@pytest.mark.parametrize("kind", ["deployment", "configmap"])
@pytest.mark.parametrize("fleet_class", FLEETS)
async def test_both_layouts_are_done_and_nothing_is_left(
    tmp_path: Path, fleet_class: type[WorkFleet], kind: str
) -> None:
    async with await started(fleet_class, tmp_path) as fleet:
        outcome = await ran(fleet, spec("wec-scaling", wecs="fleet", workload={"kind": kind, "objects": 3}))
        assert faults(outcome) == []
        assert await left(fleet) == []

    rows = counted(outcome)
    assert rows["one-to-one", "downsync"] == (6, 0)
    assert rows["one-to-many", "downsync"] == (6, 0)
    assert rows["one-to-many", "packaging"] == (6, 0)
    if kind != "configmap":
        assert rows["one-to-many", "report"] == (6, 0)
        assert rows["one-to-one", "e2e"] == (6, 0)
        assert rows["one-to-many", "e2e"] == (3, 0)


@pytest.mark.parametrize(
    ("fleet_class", "made", "objects"),
    [
        (KarmadaFleet, "propagationpolicies", 6 + 3),
        (KubeFleetFleet, "clusterresourceplacements", 6 + 3),
    ],
)
async def test_policies_are_made_at_the_hub_and_namespaces_only_there(
    tmp_path: Path, fleet_class: type[WorkFleet], made: str, objects: int
) -> None:
    async with await started(fleet_class, tmp_path) as fleet:
        await ran(fleet, spec("wec-scaling", wecs="fleet", workload={"kind": "configmap", "objects": 3}))
        posted = [seen.path.rsplit("/", 1)[-1] for seen in fleet.hub.requests if seen.method == "POST"]
        assert posted.count(made) == 2 + 1
        assert posted.count("configmaps") == objects
        assert not [seen for wec in fleet.wecs.values() for seen in wec.requests if seen.method == "POST"]


@pytest.mark.parametrize(
    ("fleet_class", "resource", "said"),
    [
        (KarmadaFleet, resources.PROPAGATION_POLICIES, "1 PropagationPolicies of an earlier run are still there"),
        (
            KubeFleetFleet,
            resources.CLUSTER_RESOURCE_PLACEMENTS,
            "1 ClusterResourcePlacements of an earlier run are still there",
        ),
    ],
)
async def test_what_a_killed_run_left_is_refused_and_cleaned(
    tmp_path: Path, fleet_class: type[WorkFleet], resource: resources.Resource, said: str
) -> None:
    labels = {"fleet-testbed/run": "20260101T000000Z-killed00"}
    async with await started(fleet_class, tmp_path) as fleet:
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fleet-run-killed00", "labels": labels}}
        fleet.hub.store.create(resources.NAMESPACES, space)
        spec_of = {
            "placement": {"clusterAffinity": {"clusterNames": ["wec001"]}},
            "resourceSelectors": [{"kind": "Namespace", "name": "fleet-run-killed00"}],
            "policy": {"clusterNames": ["wec001"]},
        }
        namespace = "fleet-run-killed00" if resource.namespaced else None
        fleet.hub.store.create(resource, {"metadata": {"name": "p", "labels": labels}, "spec": spec_of}, namespace)
        with pytest.raises(FleetError, match=said):
            await ran(fleet, spec("wec-scaling", wecs="fleet"))
        report = await clean_fleet(fleet.file(), None, timeout=20)
        assert report.clean, report.left
        assert await left(fleet) == []


@pytest.mark.parametrize("fleet_class", FLEETS)
async def test_a_wec_that_is_no_member_is_refused(tmp_path: Path, fleet_class: type[WorkFleet]) -> None:
    async with await started(fleet_class, tmp_path) as fleet:
        kind = resources.KARMADA_CLUSTERS if fleet_class is KarmadaFleet else resources.MEMBER_CLUSTERS
        fleet.hub.store.delete(kind, "wec002")
        with pytest.raises(FleetError, match=r"1 of 2 WECs are not .*: wec002"):
            await ran(fleet, spec("wec-scaling", wecs="fleet"))
