"""metrics-server: how it is started, what leads to it, and nodes that it cannot read."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from fleet.host.machine import Machine
from fleet.install.upstream import UpstreamFolders
from fleet.managers.variable_check import Chosen
from fleet.model.variable_rules import checked
from fleet.model.variables import Variables
from fleet.platforms.metrics_server.install import PLATFORM
from fleet.platforms.metrics_server.objects import objects
from fleet.platforms.platform import Seat


def seat(root: Path, **given: Any) -> Seat:
    upstream = UpstreamFolders.of([root / "bin"], check=True)
    machine = Machine("demo", root / "demo", upstream, check=True)
    variables = Variables.model_validate({"manager": "none", "platform": "metrics-server", **given})
    return Seat(machine, "wec001", "metrics-server", upstream, variables, "https://127.0.0.1:16000")


def test_it_reads_kubelets_at_their_ports_and_verifies_them(tmp_path: Path) -> None:
    (planned,) = PLATFORM.plan(seat(tmp_path, node_simulator="hollow", wec_nodes=3)).programs
    argv = planned.program.argv
    assert "--kubelet-use-node-status-port" in argv
    assert f"--kubelet-certificate-authority={tmp_path}/demo/pki/ca.crt" in argv
    assert not any("insecure" in word or "node-selector" in word for word in argv)
    (mixed,) = PLATFORM.plan(seat(tmp_path, node_simulator="mixed", wec_nodes=3, wec_hollow_nodes=1)).programs
    assert "--node-selector=fleet-testbed/node=hollow" in mixed.program.argv


def test_the_api_leads_to_the_port_and_is_verified(tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_bytes(b"authority")
    made = {manifest["kind"]: manifest for _, manifest in objects(ca, 16001)}
    spec = made["APIService"]["spec"]
    assert (spec["group"], spec["service"]["port"]) == ("metrics.k8s.io", 16001)
    assert base64.b64decode(spec["caBundle"]) == b"authority"
    assert "insecureSkipTLSVerify" not in spec
    assert made["Service"]["spec"] == {"type": "ExternalName", "externalName": "localhost"}
    assert made["RoleBinding"]["metadata"]["namespace"] == "kube-system"


def test_nodes_without_kubelets_are_refused() -> None:
    given = {"manager": "none", "platform": "metrics-server"}
    (problem,) = checked(given, manager=Chosen()).problems
    assert (problem.variable, "no nodes with a kubelet" in problem.text) == ("node_simulator", True)
    assert checked({**given, "node_simulator": "hollow"}, manager=Chosen()).problems == ()
