"""What a run creates on a hub of plain OCM: bodies, names, and which objects get feedback rules."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.errors import UsageError
from fleet.kube.resources import MANIFEST_WORK_REPLICA_SETS, PLACEMENTS
from fleet.managers.ocm.manager import MANAGER
from fleet.model.experiment_file import Layout, Workload
from fleet.model.run_names import RunNames
from fleet.workload.content import Content, Plain
from fleet.workload.layouts import policies
from fleet.workload.objects import WorkloadObject, objects
from fleet.workload.profiles import content_of
from tests.unit.experiment.plain_fleets import OcmFleet

NAMES = RunNames("20261122T170000Z-0a1b2c3d")


def made(layout: Layout, content: Content, *, wec: str = "wec001", manager: Any = MANAGER) -> list[WorkloadObject]:
    chosen = policies(
        layout,
        [wec, "wec002"],
        resources=content.resources,
        names=NAMES,
        group=0,
        own_namespaces=True,
        sources=["hub1"],
    )
    return [item for one in chosen for item in objects(one, content, 1, manager=manager, names=NAMES, trial="t000")]


def test_a_placement_selects_the_wecs_by_their_names_whatever_their_taints() -> None:
    resources = Plain(Workload()).resources
    (policy,) = policies("one-to-many", ["b", "a"], resources=resources, names=NAMES, group=0, sources=["hub1"])
    (write,) = MANAGER.policies(policy)
    assert (write.resource, write.namespace, write.name) == (PLACEMENTS, NAMES.namespace, policy.name)
    assert write.body["metadata"]["labels"] == NAMES.labels()
    assert write.body["spec"] == {
        "clusterSets": ["global"],
        "tolerations": [{"operator": "Exists"}],
        "predicates": [
            {
                "requiredClusterSelector": {
                    "labelSelector": {"matchExpressions": [{"key": "name", "operator": "In", "values": ["a", "b"]}]}
                }
            }
        ],
    }


@pytest.mark.parametrize("scrape", ["", "Watch"])
def test_an_object_travels_in_a_set_of_its_own_with_the_fleets_way_of_scraping(scrape: str) -> None:
    file = OcmFleet.manager.model_copy(update={"facts": {"feedback_scrape_type": scrape} if scrape else {}})
    fleet: Any = type("Fleet", (), {"manager": file})()
    first, second = made("one-to-one", Plain(Workload()), manager=MANAGER.for_fleet(fleet))
    write = first.write
    assert (write.resource, write.name) == (MANIFEST_WORK_REPLICA_SETS, "t000-wec001-0000")
    assert write.body["metadata"] == {
        "name": "t000-wec001-0000", "namespace": first.ref.namespace, "labels": NAMES.labels()
    }  # fmt: skip
    assert write.body["spec"]["placementRefs"] == [{"name": first.policy}]
    template = write.body["spec"]["manifestWorkTemplate"]
    (manifest,) = template["workload"]["manifests"]
    assert manifest["kind"] == "Deployment"
    assert manifest["metadata"]["annotations"]["fleet-testbed/op"] == first.op
    (rule,) = template["manifestConfigs"]
    assert rule["resourceIdentifier"] == {
        "group": "apps", "resource": "deployments", "namespace": first.ref.namespace, "name": "t000-wec001-0000"
    }  # fmt: skip
    assert rule["feedbackRules"] == [{"type": "WellKnownStatus"}]
    assert rule.get("feedbackScrapeType", "") == scrape
    assert second.write.namespace != write.namespace


def test_only_kinds_with_rules_get_feedback() -> None:
    (item, _) = made("one-to-one", Plain(Workload(kind="configmap")))
    assert "manifestConfigs" not in item.write.body["spec"]["manifestWorkTemplate"]
    assert item.status == "none"


def test_objects_of_a_profile_that_share_a_name_get_sets_of_their_own() -> None:
    items = made("one-to-many", content_of(Workload(profile="cluster-density-ms")))
    names = [(item.write.namespace, item.write.name) for item in items]
    assert len(set(names)) == len(names) > 30
    assert all(len(f"{namespace}.{name}") <= 63 for namespace, name in names)


def test_a_name_that_does_not_fit_ocms_label_is_refused() -> None:
    with pytest.raises(UsageError, match="a label takes 63 characters"):
        made("one-to-one", Plain(Workload()), wec="w" * 40)
