"""Control planes that share a process are control planes still: alongside each other and one that shares nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.host.drivers.dense.admin import DenseAdmin
from fleet.host.https import Endpoint, UnixConnection, exchange
from fleet.host.machine import Machine, Options
from fleet.host.plan import ControlPlane
from fleet.host.records import stored_server
from fleet.install.control_planes import converge, teardown
from fleet.toolchain import locate
from tests.live.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("shared")]
REPO = Path(__file__).parents[2]
OK, CREATED = 200, 201
INVALID, REFUSED = 422, 500


@pytest.fixture(scope="module")
def machines() -> Iterator[dict[str, Machine]]:
    """Two control planes that share, and one that does not, each as fleets make them."""
    toolchain = locate(REPO / "toolchain", needs=["simulator:kwok"])
    with tempfile.TemporaryDirectory(prefix="fl-") as folder:  # short: sockets lie below it
        made = {
            name: Machine(
                name,
                Path(folder) / name,
                toolchain,
                Options(wec_nodes=1, simulator="kwok", parallelism=2, sharing=name == "shared", openapi=True),
            )
            for name in ("shared", "plain")
        }
        try:
            for name, machine in made.items():
                count = 2 if name == "shared" else 1
                planes = [ControlPlane(f"wec{n:03}", "wec", "dense") for n in range(1, count + 1)]
                converge(machine, planes, hub=False)
            yield made
        finally:
            for machine in made.values():
                teardown(machine)


def _endpoint(machine: Machine, name: str = "wec001") -> Endpoint:
    return machine.endpoint(name, stored_server(machine, name))


def _create(endpoint: Endpoint, path: str, body: dict[str, Any]) -> int:
    return endpoint.request("POST", path, body).status


def _crd(plural: str, field: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {field: {"type": "integer", "minimum": 1}}},
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {
                "plural": plural,
                "singular": plural[:-1],
                "kind": plural[:-1].title(),
                "listKind": f"{plural}List",
            },
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _install(endpoint: Endpoint, plural: str, field: str) -> None:
    assert _create(endpoint, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", _crd(plural, field)) == CREATED
    until(
        f"{plural} are served",
        lambda: endpoint.request("GET", f"/apis/example.com/v1/namespaces/default/{plural}").status == OK,
    )


@pytest.fixture(scope="module")
def installed(machines: dict[str, Machine]) -> dict[str, Endpoint]:
    """`one` and `two` share a process and have different CRDs; `plain` has the CRD of `one`."""
    ends = {
        "one": _endpoint(machines["shared"], "wec001"),
        "two": _endpoint(machines["shared"], "wec002"),
        "plain": _endpoint(machines["plain"]),
    }
    for name, plural, field in (("one", "widgets", "size"), ("two", "gadgets", "weight"), ("plain", "widgets", "size")):
        _install(ends[name], plural, field)
    return ends


def _document(endpoint: Endpoint, path: str) -> Any:
    answer = endpoint.request("GET", path, timeout=60.0)
    assert answer.status == OK, f"{path}: {answer.status} {answer.text()}"
    return answer.json()


def _discovery(endpoint: Endpoint) -> dict[str, Any]:
    """All groups, versions and resources, without what is drawn by lot or says when."""
    found = {"/api/v1": _document(endpoint, "/api/v1")}
    for group in _document(endpoint, "/apis")["groups"]:
        for version in group["versions"]:
            path = f"/apis/{version['groupVersion']}"
            found[path] = _document(endpoint, path)
    return found


def test_discovery_is_that_of_a_control_plane_that_shares_nothing(installed: dict[str, Endpoint]) -> None:
    one, two, plain = (_discovery(installed[name]) for name in ("one", "two", "plain"))
    assert one == plain
    assert one != two
    assert {path: two[path] for path in two if path != "/apis/example.com/v1"} == {
        path: plain[path] for path in plain if path != "/apis/example.com/v1"
    }
    assert [r["name"] for r in two["/apis/example.com/v1"]["resources"]] == ["gadgets"]


def _kinds(document: dict[str, Any]) -> set[str]:
    """Kinds of the CRDs that it defines: upstream's own texts say "Widget" too."""
    versioned = [one.get("x-kubernetes-group-version-kind", []) for one in document["definitions"].values()]
    return {each["kind"] for found in versioned for each in found if each["group"] == "example.com"}


def _openapi(endpoint: Endpoint, kind: str) -> dict[str, Any]:
    until(f"OpenAPI has {kind}", lambda: kind in _kinds(_document(endpoint, "/openapi/v2")))
    found = {"v2": _document(endpoint, "/openapi/v2")}
    for path in _document(endpoint, "/openapi/v3")["paths"]:
        found[path] = _document(endpoint, f"/openapi/v3/{path}")
    return found


def test_openapi_is_that_of_a_control_plane_that_shares_nothing(installed: dict[str, Endpoint]) -> None:
    one, plain = _openapi(installed["one"], "Widget"), _openapi(installed["plain"], "Widget")
    two = _openapi(installed["two"], "Gadget")
    assert one.keys() == plain.keys() == two.keys()
    different = [path for path in one if one[path] != plain[path]]
    assert different == []
    assert [path for path in two if two[path] != plain[path]] == ["v2", "apis/example.com/v1"]
    assert _kinds(one["v2"]) == {"Widget", "widgetsList"}
    assert _kinds(two["v2"]) == {"Gadget", "gadgetsList"}


def _policy(expression: str) -> tuple[dict[str, Any], dict[str, Any]]:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": expression, "message": "not so"}],
        },
    }, {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "p"},
        "spec": {"policyName": "p", "validationActions": ["Deny"]},
    }


def _configmap(endpoint: Endpoint, name: str, *, dry: bool = True) -> int:
    path = "/api/v1/namespaces/default/configmaps" + ("?dryRun=All" if dry else "")
    return _create(endpoint, path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})


def _until_judged(endpoint: Endpoint, name: str, status: int) -> None:
    until(f"{endpoint.url} answers {status} to a ConfigMap {name}", lambda: _configmap(endpoint, name) == status)


def test_admission_is_each_ones_own(installed: dict[str, Endpoint]) -> None:
    """Policies in CEL and a webhook with a condition in CEL: they differ between two that share a process, and judge as
    in the one that shares nothing."""
    prefix = "/apis/admissionregistration.k8s.io/v1"
    for name, word in (("one", "red"), ("two", "blue"), ("plain", "red")):
        policy, binding = _policy(f"!object.metadata.name.startsWith('{word}')")
        assert _create(installed[name], f"{prefix}/validatingadmissionpolicies", policy) == CREATED
        assert _create(installed[name], f"{prefix}/validatingadmissionpolicybindings", binding) == CREATED
        _until_judged(installed[name], f"{word}-a", INVALID)
    judged = {
        name: [_configmap(installed[name], f"{word}-b") for word in ("red", "blue", "green")] for name in installed
    }
    assert judged["one"] == judged["plain"] == [INVALID, CREATED, CREATED]
    assert judged["two"] == [CREATED, INVALID, CREATED]
    hook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "w"},
        "webhooks": [
            {
                "name": "w.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "timeoutSeconds": 1,
                "clientConfig": {"url": "https://127.0.0.1:1/"},
                "rules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
                ],
                "matchConditions": [{"name": "hooked", "expression": "object.metadata.name.startsWith('hooked')"}],
            }
        ],
    }
    for name in ("one", "plain"):
        assert _create(installed[name], f"{prefix}/validatingwebhookconfigurations", hook) == CREATED
        _until_judged(installed[name], "hooked", REFUSED)
    assert _configmap(installed["two"], "hooked") == CREATED
    assert _configmap(installed["one"], "green") == _configmap(installed["plain"], "green") == CREATED


def _deployment(name: str, replicas: int) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "none"}]},
            },
        },
    }


def _count(endpoint: Endpoint, path: str) -> int:
    return len(_document(endpoint, path)["items"])


@pytest.mark.parametrize("name", ["one", "two", "plain"])
def test_controllers_scheduler_and_collection_work(installed: dict[str, Endpoint], name: str) -> None:
    endpoint = installed[name]
    assert _create(endpoint, "/api/v1/namespaces", {"metadata": {"name": "work"}}) == CREATED
    assert _create(endpoint, "/apis/apps/v1/namespaces/work/deployments", _deployment("d", 3)) == CREATED
    running = "/api/v1/namespaces/work/pods?fieldSelector=status.phase%3DRunning"
    until("three pods run", lambda: _count(endpoint, running) == 3)
    until(
        "the namespace has its service account",
        lambda: endpoint.request("GET", "/api/v1/namespaces/work/serviceaccounts/default").status == OK,
    )
    gone = endpoint.request("DELETE", "/apis/apps/v1/namespaces/work/deployments/d")
    assert gone.status == OK
    until("pods of a deleted Deployment are collected", lambda: _count(endpoint, "/api/v1/namespaces/work/pods") == 0)
    assert endpoint.request("DELETE", "/api/v1/namespaces/work").status == OK
    until("the namespace is gone", lambda: endpoint.request("GET", "/api/v1/namespaces/work").status == 404)


def test_a_custom_resource_is_checked_by_its_own_schema(installed: dict[str, Endpoint]) -> None:
    def widget(size: int) -> dict[str, Any]:
        return {
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "metadata": {"name": f"w{size}"},
            "spec": {"size": size},
        }

    for name in ("one", "plain"):
        path = "/apis/example.com/v1/namespaces/default/widgets"
        assert _create(installed[name], path, widget(0)) == INVALID
        assert _create(installed[name], path, widget(3)) == CREATED


def test_a_neighbour_that_stops_touches_nobody(machines: dict[str, Machine], installed: dict[str, Endpoint]) -> None:
    """Stopped and started, while the other is asked all the time; what the stopped one had is there again."""
    admin = DenseAdmin(machines["shared"].layout.run / "dense-0.sock")
    before = _goroutines(admin)
    admin.stop("wec002")
    assert _configmap(installed["one"], "asked") == CREATED
    until("its goroutines end", lambda: _goroutines(admin) < 0.7 * before)
    with pytest.raises(OSError, match=r".*"):
        installed["two"].request("GET", "/readyz")
    assert _configmap(installed["one"], "asked") == CREATED
    admin.start("wec002")
    until("it is ready again", lambda: installed["two"].request("GET", "/readyz").status == OK)
    assert installed["two"].request("GET", "/apis/example.com/v1/namespaces/default/gadgets").status == OK


def _goroutines(admin: DenseAdmin) -> int:
    page = exchange(UnixConnection(Path(admin.socket), 60.0), "GET", "/debug/pprof/goroutine?debug=1").body.decode()
    return int(page.split("total ", 1)[1].split("\n", 1)[0])
