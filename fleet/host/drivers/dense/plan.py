"""What a shard of the dense driver and each of its instances put on the machine; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.host import audit, components
from fleet.host.components import ISSUER, SERVICE_RANGE, Store, Trust, controllers
from fleet.host.kubeconfig_spec import component_kubeconfig
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.plan import (
    ControlPlane,
    Extra,
    Kubeconfig,
    Plan,
    PlannedProgram,
    TextFile,
    plane_file,
    render_json,
    url,
)
from fleet.host.stores import kubelet_client_certificate, plan_store, proxy_certificates, serving_certificate
from fleet.host.supervise import Program

DENSE = "dense"
DENSE_ENV = {"GOGC": "40"}
"""At rest; while instances start, the process collects less often (gate.go)."""

DENSE_ARGUMENTS = ("--etcd-count-metric-poll-period=0", "--allow-privileged=true")
"""No count of every resource each minute: the gauge would be the sum over all control planes of the process. Privileged
pods as in kubeadm's clusters: the process has one setting for all, that of whichever instance starts first."""

STORE_TICK_MS = 50
"""All control planes of a shard wait for its one etcd, and its ticks are few alongside what they do themselves."""

NOT_IN_DENSE = ("serviceaccount-token-controller",)
"""Makes tokens for Secrets of the old kind; upstream does not export it, so the dense process has it not."""


@dataclass(frozen=True)
class Shard:
    """One dense process and its etcd."""

    number: int
    client_port: int
    peer_port: int
    cores: int = 1
    """How many it uses while none of its control planes starts or stops: its share of the machine's."""


def etcd_prefix(name: str) -> str:
    """Where the keys of one control plane lie in the shard's etcd."""
    return f"/{name}"


def instance_file(layout: Layout, number: int, name: str) -> Path:
    """The configuration of one instance."""
    return layout.shard(number) / "instances" / f"{name}.json"


def shard_store(layout: Layout, shard: Shard) -> Store:
    """The shard's etcd."""
    folder = layout.shard(shard.number)
    name = f"dense-{shard.number}"
    ports = (shard.client_port, shard.peer_port)
    socket = layout.etcd_socket(name)
    return plan_store(name, folder / "etcd", folder / "pki", *ports, socket=socket, tick_ms=STORE_TICK_MS)


def plan_shard(machine: Machine, shard: Shard, members: Sequence[ControlPlane]) -> Plan:
    """The process and its store; nothing here depends on which control planes are in it but for the user's
    extra arguments."""
    layout = machine.layout
    folder = layout.shard(shard.number)
    trust = Trust.of(layout.pki, hub_signs=False)
    store = shard_store(layout, shard)
    extra = members[0].extra if members else Extra()
    sharing = machine.options.sharing
    gates = components.IDLE_GATES if sharing else {}
    config: dict[str, Any] = {
        "admin_socket": str(layout.run / f"dense-{shard.number}.sock"),
        "instances_dir": str(folder / "instances"),
        "parallelism": machine.options.parallelism,
        "cores": shard.cores,
        "sharing": sharing,
        "feature_gates": gates,
        "etcd": {"servers": [store.door]},
    }
    if machine.options.hibernate:
        config["hibernate_seconds"] = round(machine.options.hibernate)
    file = TextFile(folder / "config.json", render_json(config))
    program = machine.programs.program
    debug = components.ETCD_DEBUG if machine.options.debug else ()
    etcd = Program(
        f"etcd.dense-{shard.number}",
        components.etcd(program("etcd"), store, trust, (*debug, *extra.etcd)),
        extra.environment("etcd", DENSE_ENV),
        folder,
        priority=100,
    )
    argv = (str(program(DENSE)), "--config", str(file.path))
    env = extra.environment("kube-apiserver", DENSE_ENV)
    host = Program(f"{DENSE}.{shard.number}", argv, env, folder, priority=200, stop_seconds=20)
    decides = f"{store.door} {render_json(gates)}" + ("" if sharing else " unshared")
    decides += f" {config['hibernate_seconds']}" if machine.options.hibernate else ""
    # Not config.json: another parallelism or share of the cores alone must not restart a shard.
    reads = (trust.ca, trust.front_proxy_ca, trust.etcd_ca, trust.sa_private)
    return Plan(
        (layout.dense, folder, folder / "pki", folder / "instances"),
        (store.server, store.client),
        (),
        (file,),
        (
            PlannedProgram(etcd, "etcd", "", (trust.etcd_ca,)),
            PlannedProgram(host, DENSE, "", reads, revision=decides),
        ),
    )


def plan_instance(machine: Machine, shard: Shard, plane: ControlPlane, port: int) -> Plan:
    """One control plane: certificates, kubeconfigs, and the file that the process reads."""
    layout = machine.layout
    folder = layout.cluster(plane.name)
    certificates = folder / "pki"
    server = url(plane.bind_address, port)
    trust = Trust.of(layout.pki, hub_signs=False)
    serving = serving_certificate(certificates, plane)
    admin = machine.admin(plane.name)
    names = () if plane.bare else ("kube-controller-manager", "kube-scheduler")
    clients = tuple(component_kubeconfig(machine, plane.name, server, name) for name in names)
    kcm, scheduler = (str(client.path) for client in clients) if clients else ("", "")
    dials = (kubelet_client_certificate(certificates),) if machine.options.kubelets else ()
    proxy = proxy_certificates(certificates, plane)
    instance = {
        "name": plane.name,
        "bind_address": plane.bind_address,
        "secure_port": port,
        "etcd_prefix": etcd_prefix(plane.name),
        "service_cluster_ip_range": SERVICE_RANGE,
        "tls_cert_file": str(serving.cert),
        "tls_key_file": str(serving.key),
        "client_ca_file": str(trust.client_ca),
        "requestheader_client_ca_file": str(trust.front_proxy_ca),
        "service_account_key_file": str(trust.sa_private),
        "service_account_issuer": ISSUER,
        "kcm_kubeconfig": kcm,
        "scheduler_kubeconfig": scheduler,
        "controllers": [name for name in controllers(plane) if name not in NOT_IN_DENSE and clients],
        "openapi": plane.openapi or machine.options.openapi or not machine.options.sharing,
        "apiserver_extra_args": [
            *(DENSE_ARGUMENTS if machine.options.sharing else ()),
            *(flag for client in dials for flag in components.kubelet_client(trust, client)),
            *(flag for one in proxy for flag in components.proxy_client(one)),
            *audit.arguments(folder, plane.audit),
            *plane.extra.apiserver,
        ],
    }
    return Plan(
        (folder, certificates, *audit.folders(folder, plane.audit)),
        (serving, admin, *proxy, *dials, *(client.certificate for client in clients)),
        (Kubeconfig(layout.kubeconfig(plane.name), server, machine.context(plane.name), admin), *clients),
        (
            plane_file(layout, plane, server),
            *audit.policies(folder, plane.audit),
            TextFile(instance_file(layout, shard.number, plane.name), render_json(instance)),
        ),
    )
