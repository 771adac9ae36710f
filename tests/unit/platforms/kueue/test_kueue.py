"""Kueue's objects, configuration and command line, without a cluster; and that they are taken out again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from fleet.host.machine import Machine
from fleet.host.pages import Started
from fleet.install.objects import Ledger
from fleet.install.upstream import UpstreamFolders
from fleet.kube.resources import MUTATING_WEBHOOKS, NAMESPACES, SECRETS, SERVICES, VALIDATING_WEBHOOKS
from fleet.model.variables import Variables
from fleet.platforms.kueue import names, objects, pages, programs
from fleet.platforms.kueue.install import PLATFORM
from fleet.platforms.kueue.places import Places
from fleet.platforms.loopback import SERVICE_CIDRS
from fleet.platforms.platform import Seat
from fleet.testing.api_server.server import FakeApiServer


@pytest.fixture
def places(tmp_path: Path) -> Places:
    upstream = UpstreamFolders.of([tmp_path / "bin"], check=True)
    machine = Machine("demo", tmp_path / "demo", upstream, check=True)
    variables = Variables.model_validate({"platform": "kueue", "kueue_qps": 70})
    seat = Seat(machine, "wec001", "kueue", upstream, variables, "https://127.0.0.1:16000")
    return Places(seat, webhooks=16005, health=16006, profiles=16007)


def test_every_webhook_leads_to_its_process(places: Places) -> None:
    made = {(resource.kind, body["metadata"]["name"]): body for resource, body in objects.placed(places)}
    assert made["Service", names.SERVICE]["spec"]["clusterIP"] == places.address == "127.77.62.133"
    for kind, name, verb in (
        ("MutatingWebhookConfiguration", names.MUTATING, "mutate"),
        ("ValidatingWebhookConfiguration", names.VALIDATING, "validate"),
    ):
        hooks = made[kind, name]["webhooks"]
        assert {hook["clientConfig"]["service"]["port"] for hook in hooks} == {16005}
        paths = [hook["clientConfig"]["service"]["path"] for hook in hooks]
        assert f"/{verb}--v1-pod" in paths
        assert f"/{verb}-kueue-x-k8s-io-v1beta2-workload" in paths
        assert all(hook["namespaceSelector"]["matchExpressions"][0]["operator"] == "NotIn" for hook in hooks)


def test_versions_are_converted_where_its_authority_is_put(places: Places, tmp_path: Path) -> None:
    folder = tmp_path / "crds"
    folder.mkdir()
    for plural in names.DEFINITIONS:
        crd = {"kind": "CustomResourceDefinition", "metadata": {"name": f"{plural}.{names.GROUP}"},
               "spec": {"names": {"plural": plural}}}  # fmt: skip
        (folder / f"{names.DEFINITION_FILE}{plural}.yaml").write_text(yaml.safe_dump(crd))
    found = objects.definitions(UpstreamFolders.of([tmp_path / "bin"], check=True), places)
    assert len(found) == len(names.DEFINITIONS)
    converted = {crd["spec"]["names"]["plural"] for crd in found if "conversion" in crd["spec"]}
    assert converted == set(names.CONVERTED)


def test_its_configuration_and_command_line(places: Places, tmp_path: Path) -> None:
    config = json.loads(objects.configuration(places))
    assert config["clientConnection"] == {"qps": 70.0, "burst": 100}
    assert config["webhook"]["certDir"] == str(places.certificates)
    (planned,) = programs.plan(places).programs
    assert planned.program.name == "kueue.wec001"
    file = tmp_path / "config.json"
    file.write_text(objects.configuration(places))
    started = Started(places.seat.layout, {}, "wec001", [f"--config={file}"])
    assert pages.read(started).pprof == "http://127.0.0.1:16007/debug/pprof"
    assert pages.read(Started(places.seat.layout, {}, "wec001", [])).pprof == ""


async def test_it_is_taken_out(places: Places) -> None:
    async with FakeApiServer("wec001") as server:
        for resource in (SERVICE_CIDRS, names.CLUSTER_QUEUES, names.LOCAL_QUEUES, names.FLAVORS, names.WORKLOADS,
                         MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS, SERVICES, SECRETS):  # fmt: skip
            server.store.serve(resource)
        server.store.create(names.CLUSTER_QUEUES, {"metadata": {"name": "all"}})
        server.store.create(NAMESPACES, {"metadata": {"name": names.NAMESPACE}})
        for resource, body in objects.placed(places):
            server.store.create(resource, body, body["metadata"].get("namespace"))
        async with server.client() as client:
            await PLATFORM.remove(places.seat, client, Ledger())
        for resource in (names.CLUSTER_QUEUES, MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS, SERVICES, SECRETS):
            assert server.store.objects(resource) == [], resource
