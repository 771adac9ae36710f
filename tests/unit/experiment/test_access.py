"""The rights that a run needs: as data, as manifests, and asked of API servers of clusters that exist already."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fleet.errors import UsageError
from fleet.experiment.access import check_access
from fleet.experiment.rbac import manifests
from fleet.experiment.rights import needed
from fleet.kube.resources import CONFIGMAPS, DEPLOYMENTS, PODS
from fleet.managers import registry
from fleet.managers.manager import Spaces
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import Space
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.model.fleets import document

KINDS = (DEPLOYMENTS,)


def of(manager: str, space: Space, **more: bool) -> dict[str, str]:
    return {
        str(one): " ".join(one.verbs) for one in needed(registry.load(manager), KINDS, **more) if one.space == space
    }


def test_what_kubestellar_needs() -> None:
    made = "create delete list watch"
    assert of("kubestellar", "source") == {
        "/metrics": "get",
        "bindingpolicies.control.kubestellar.io": made,
        "bindings.control.kubestellar.io": "list watch",
        "deployments.apps": made,
        "namespaces": made,
    }
    assert of("kubestellar", "transport") == {
        "/metrics": "get",
        "managedclusters.cluster.open-cluster-management.io": "list",
        "manifestworks.work.open-cluster-management.io": "delete list watch",
        "workstatuses.control.kubestellar.io": "list watch",
    }
    assert of("kubestellar", "wec") == {
        "/metrics": "get",
        "appliedmanifestworks.work.open-cluster-management.io": "list watch",
        "deployments.apps": "list watch",
        "namespaces": made,
    }


def test_others_and_more() -> None:
    assert "deployments.apps" not in of("ocm", "source")
    assert of("none", "source") == of("none", "transport") == {}
    assert of("none", "wec")["deployments.apps"] == "create delete list watch"
    assert of("none", "wec", crds=True)["customresourcedefinitions.apiextensions.k8s.io"] == "create list watch"
    assert any(str(one) == "serviceaccounts" for one in needed(registry.load("kubestellar"), (PODS,)))


@pytest.mark.parametrize("manager", ["kubestellar", "ocm", "karmada", "kubefleet", "none"])
def test_no_right_is_wide(manager: str) -> None:
    for one in needed(registry.load(manager), (DEPLOYMENTS, CONFIGMAPS), crds=True):
        assert "*" not in (one.group, one.resource, *one.verbs)
        assert one.resource not in ("secrets", "clusterroles")


def test_manifests_are_one_account_with_these_rules() -> None:
    documents = list(yaml.safe_load_all(manifests(needed(registry.load("kubestellar"), KINDS), "wec", "testbed")))
    assert [one["kind"] for one in documents] == ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"]
    rules, binding = documents[2]["rules"], documents[3]
    assert {"nonResourceURLs": ["/metrics"], "verbs": ["get"]} in rules
    assert {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "watch"]} in rules
    assert binding["roleRef"]["name"] == documents[2]["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "fleet-testbed", "namespace": "testbed"}]


def fleet(folder: Path, driver: str) -> FleetFile:
    found = document(folder / "b", wecs=1)
    for cluster in found["clusters"]:
        cluster["driver"] = driver
    return FleetFile.model_validate(found)


async def test_what_is_missing_is_named_before_a_run(tmp_path: Path) -> None:
    async with (
        FakeApiServer("wds1") as wds,
        FakeApiServer("wec001") as wec,
        wds.client() as source,
        wec.client() as end,
    ):
        clients = Spaces({"wds1": source}, {}, {"wec001": end})
        await check_access(fleet(tmp_path, "existing"), clients, KINDS)
        assert len(wec.requests) == 1  # it is an administrator
        wec.denied = {("create", "namespaces"), ("delete", "namespaces"), ("watch", "deployments.apps")}
        with pytest.raises(UsageError) as caught:
            await check_access(fleet(tmp_path, "existing"), clients, KINDS)
        first, last = str(caught.value).splitlines()
        assert first == "wec001 (wec): may not watch deployments.apps; create, delete namespaces"
        assert last.startswith("`fleet rbac --manager kubestellar --kind deployments.apps` prints what is needed.")
        assert caught.value.exit_code == 2
        asked = len(wec.requests)
        await check_access(fleet(tmp_path, "process"), clients, KINDS)  # its own: never asked
        assert len(wec.requests) == asked
        assert all(seen.path.endswith("/selfsubjectaccessreviews") for seen in (*wec.requests, *wds.requests))
