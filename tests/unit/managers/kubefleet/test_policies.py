"""ClusterResourcePlacements: the namespace that they take, and how a rollout goes on."""

from __future__ import annotations

from fleet.managers.kubefleet.manager import MANAGER
from fleet.managers.kubefleet.policies import Rollout, placement
from fleet.model.fleet_file import FleetFile, ManagerOf
from tests.unit.managers.karmada.test_policies import POLICY


def test_it_takes_the_policys_namespace_to_its_wecs() -> None:
    write = placement(POLICY, Rollout())
    assert (write.name, write.namespace) == ("fx-g00-all", None)
    assert write.body["spec"] == {
        "resourceSelectors": [{"group": "", "version": "v1", "kind": "Namespace", "name": "fleet-run-x"}],
        "policy": {"placementType": "PickFixed", "clusterNames": ["wec001", "wec002"]},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": "25%", "unavailablePeriodSeconds": 60},
        },
    }


def test_a_number_of_wecs_is_a_number_and_a_part_is_text() -> None:
    assert Rollout("3", 1).strategy()["rollingUpdate"] == {"maxUnavailable": 3, "unavailablePeriodSeconds": 1}
    assert Rollout("100%").strategy()["rollingUpdate"]["maxUnavailable"] == "100%"


def test_the_rollout_is_that_of_the_fleet() -> None:
    facts = {"max_unavailable": "100%", "unavailable_period_seconds": "1"}
    fleet = FleetFile.model_construct(manager=ManagerOf(name="kubefleet", facts=facts))
    (write,) = MANAGER.for_fleet(fleet).policies(POLICY)
    assert write.body["spec"]["strategy"] == Rollout("100%", 1).strategy()
