"""Karpenter's command line, rights and removal, without Karpenter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleet.host.machine import Machine, Options
from fleet.host.pages import Started
from fleet.install.objects import Ledger, ensure_all
from fleet.install.upstream import UpstreamFolders
from fleet.kube.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, CRDS, NAMESPACES
from fleet.managers.variable_check import Chosen
from fleet.model.variable_rules import checked
from fleet.model.variables import Variables
from fleet.platforms.karpenter import names, objects, programs
from fleet.platforms.karpenter.install import PLATFORM, TAINT
from fleet.platforms.platform import Seat
from fleet.testing.api_server.server import FakeApiServer


def seat_in(folder: Path, *, debug: bool = False, **given: Any) -> Seat:
    upstream = UpstreamFolders.of([folder / "bin"], check=True)
    machine = Machine("demo", folder / "demo", upstream, Options(debug=debug), check=True)
    return Seat(machine, "wec001", "karpenter", upstream, Variables.model_validate(given), "https://127.0.0.1:16000")


def test_its_certificate_is_its_service_account_and_the_users_flags_win(tmp_path: Path) -> None:
    plan = programs.plan(seat_in(tmp_path, karpenter_qps=50, karpenter_extra_args=["--kube-client-qps=70"]))
    (program,), (certificate,), (kubeconfig,) = plan.programs, plan.certificates, plan.kubeconfigs
    assert program.program.name == "karpenter.wec001"
    assert certificate.subject.common_name == "system:serviceaccount:karpenter:karpenter"
    assert program.program.env["KUBECONFIG"] == str(kubeconfig.path)
    rates = [word for word in program.program.argv if word.startswith("--kube-client-qps")]
    assert rates == ["--kube-client-qps=50", "--kube-client-qps=70"]


@pytest.mark.parametrize("debug", [False, True])
def test_its_pages_are_read_from_its_command_line(tmp_path: Path, debug: bool) -> None:
    seat = seat_in(tmp_path, debug=debug)
    argv = [*programs.plan(seat).programs[0].program.argv, "--metrics-port=16007"]
    pages = PLATFORM.pages[names.CONTROLLER](Started(seat.layout, {}, "wec001", argv))
    assert pages.metrics == "http://127.0.0.1:16007/metrics"
    assert pages.pprof == ("http://127.0.0.1:16007/debug/pprof" if debug else "")


def test_nodes_of_the_fleet_are_closed_to_its_pods_and_only_kwok_plays_them() -> None:
    assert PLATFORM.needs(Variables.model_validate({"wec_nodes": 3})).nodes.taints == (TAINT,)
    found = checked({"manager": "none", "platform": "karpenter", "node_simulator": "hollow"}, manager=Chosen())
    assert {problem.variable for problem in found.problems} == {"node_simulator"}
    both = checked({"manager": "none", "platform": "karpenter,kubevirt"}, manager=Chosen())
    assert "each need nodes of their own shape" in str(both.problems[0])


async def test_it_is_removed_with_what_it_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.platforms.karpenter.install.read_crds", lambda _: [{"metadata": {"name": "some"}}])
    async with FakeApiServer("wec001", collect_garbage=True) as server, server.client() as client:
        for resource in (names.NODE_POOLS, names.NODE_CLAIMS, names.NODE_CLASSES):
            server.store.serve(resource)
        await ensure_all(client, objects.before(), Ledger())
        again = Ledger()
        await ensure_all(client, objects.before(), again)
        assert not again.change.changed
        server.store.create(CRDS, {"metadata": {"name": "some"}})
        for resource in (names.NODE_POOLS, names.NODE_CLAIMS, names.NODE_CLASSES):
            server.store.create(resource, {"metadata": {"name": "mine"}})
        await PLATFORM.remove(seat_in(tmp_path), client, Ledger())
        left = (names.NODE_POOLS, names.NODE_CLAIMS, names.NODE_CLASSES, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, CRDS)
        assert [resource for resource in left if server.store.objects(resource)] == []
        assert names.NAMESPACE not in {item["metadata"]["name"] for item in server.store.objects(NAMESPACES)}
