"""Kyverno's manifest, command lines, its init container as a process, and what is waited for."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from fleet.errors import HostError, ToolchainError
from fleet.host.machine import Machine
from fleet.host.pages import Started
from fleet.install.upstream import UpstreamFolders
from fleet.kube.resources import CLUSTER_ROLES, LEASES
from fleet.model.variables import Variables
from fleet.platforms.kyverno import init, names, objects, pages, programs, ready
from fleet.platforms.kyverno.install import PLATFORM
from fleet.platforms.kyverno.places import Places
from fleet.platforms.platform import Seat
from fleet.testing.api_server.server import FakeApiServer

AGGREGATE = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    folder = tmp_path / "bin"
    folder.mkdir()
    upstream = UpstreamFolders.of([folder], check=False)
    variables = Variables.model_validate({"platform": "kyverno", "kyverno_client_qps": 50})
    machine = Machine("demo", tmp_path / "demo", upstream)
    seat = Seat(machine, "wec001", "kyverno", upstream, variables, "https://127.0.0.1:16000")
    seat.folder.mkdir(parents=True, mode=0o700)
    ports = {component: 16010 + number for number, component in enumerate(names.CONTROLLERS)}
    return Places(seat, 16005, ports, {component: port + 10 for component, port in ports.items()})


def script(places: Places, name: str, text: str) -> None:
    for component in (*names.CONTROLLERS, names.INIT):
        program = places.seat.upstream.folders[0] / component  # type: ignore[attr-defined]
        program.write_text(f"#!/bin/sh\n{text if component == name else ''}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)


def write_manifest(places: Places, *, accounts: tuple[str, ...] = names.CONTROLLERS) -> None:
    documents = [
        {"kind": "Deployment", "metadata": {"name": "d"}},
        {"kind": "ClusterRole", "metadata": {"name": "whole"}, "aggregationRule": AGGREGATE},
        *({"kind": "ServiceAccount", "metadata": {"name": name}} for name in accounts),
        *(
            {"kind": "CustomResourceDefinition", "metadata": {"name": f"a.{group}"}, "spec": {"group": group}}
            for group in ("kyverno.io", "openreports.io")
        ),
    ]
    file = places.seat.folder.parents[3] / "crds" / f"{names.MANIFEST}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump_all(documents))


def test_of_the_manifest_rights_come_after_accounts_and_deployments_never(places: Places) -> None:
    write_manifest(places)
    made = objects.manifest(places.seat.upstream)
    kinds = [manifest["kind"] for _, manifest in made.placed()]
    assert kinds == ["ServiceAccount"] * 3 + ["ClusterRole"]
    assert [crd["metadata"]["name"] for crd in made.crds] == ["a.kyverno.io"]
    write_manifest(places, accounts=("someone",))
    with pytest.raises(ToolchainError, match=r"kyverno-install\.yaml is no manifest of Kyverno"):
        objects.manifest(places.seat.upstream)


def test_each_controller_is_its_account_and_listens_on_loopback(places: Places) -> None:
    script(places, names.INIT, "")
    plan = programs.plan(places)
    subjects = {cert.name: cert.subject for cert in plan.certificates}
    assert subjects[names.REPORTS].common_name == "system:serviceaccount:kyverno:kyverno-reports-controller"
    assert subjects[names.REPORTS].organizations == ("system:serviceaccounts", "system:serviceaccounts:kyverno")
    admission, *others = (planned.program for planned in plan.programs)
    assert admission.name == "kyverno-admission-controller.wec001"
    assert "--serverIP=127.0.0.1:16005" in admission.argv
    assert admission.env["KYVERNO_ROLE_NAME"] == "kyverno:admission-controller"
    for program in (admission, *others):
        assert "--clientRateLimitQPS=50" in program.argv
        assert program.directory == places.seat.folder
    shown = pages.of_controller(Started(places.seat.layout, {}, "wec001", admission.argv))
    assert (shown.metrics, shown.pprof) == ("http://127.0.0.1:16010/metrics", "http://127.0.0.1:16020/debug/pprof")


def test_its_roles_need_a_controller_that_other_wecs_have_not() -> None:
    needs = PLATFORM.needs(Variables())
    assert needs.controllers == ("clusterrole-aggregation-controller",)
    assert needs.openapi


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer("wec001") as made:
        yield made


async def test_the_init_container_is_a_process_whose_failure_is_shown(server: FakeApiServer, places: Places) -> None:
    async with server.client() as client:
        assert not await init.has_run(client)
        server.store.create(LEASES, {"metadata": {"name": names.INIT_LOCK, "namespace": names.NAMESPACE}})
        assert await init.has_run(client)
    script(places, names.INIT, 'echo "$KYVERNO_DEPLOYMENT $1" > ran')
    await init.run(places)
    kubeconfig = places.seat.folder / "kyverno-admission-controller.kubeconfig"
    assert (places.seat.folder / "ran").read_text() == f"kyverno-admission-controller --kubeconfig={kubeconfig}\n"
    script(places, names.INIT, "echo no rights; exit 3")
    with pytest.raises(HostError, match="wec001: kyverno-init failed:\nno rights"):
        await init.run(places)


async def test_controllers_wait_for_the_rules_of_their_roles(server: FakeApiServer, places: Places) -> None:
    write_manifest(places)
    made = objects.manifest(places.seat.upstream)
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    server.store.create(CLUSTER_ROLES, {"metadata": {"name": "whole"}})
    async with server.client() as client:
        waiting = asyncio.create_task(ready.rights(client, made))
        done, _ = await asyncio.wait({waiting}, timeout=0.5)
        assert not done
        server.store.update(CLUSTER_ROLES, "whole", None, lambda old: {**old, "rules": rules})
        await waiting
