"""The files and programs of one WEC's KubeVirt, pure but for the ports."""

from __future__ import annotations

from pathlib import Path

from fleet.host.authority import Subject
from fleet.host.plan import Certificate, Kubeconfig, Plan, PlannedProgram, TextFile
from fleet.host.supervisor_config import Program
from fleet.install.program_parts import loopback
from fleet.platforms.kubevirt import names, stages
from fleet.platforms.kubevirt.places import Places

API_CERTS, HANDLER_CERTS, CONTROLLER_CERTS = (
    "kubevirt-virt-api-certs",
    "kubevirt-virt-handler-certs",
    "kubevirt-controller-certs",
)
SECRETS = (API_CERTS, HANDLER_CERTS, CONTROLLER_CERTS)
"""What virt-operator makes and virt-api and virt-controller read, as files here."""
NO_NODE = "none"
"""kwok always plays some node; this one does not exist, so that the WEC's own kwok alone plays nodes and pods."""
PRIORITY = {names.OPERATOR: 500, names.API: 510, names.CONTROLLER: 520, names.STAGES: 530}


def plan(places: Places, version: str) -> Plan:
    """Everything: an identity for each program, kwok's stages, four programs."""
    seat, upstream = places.seat, places.seat.upstream
    identities = {component: _identity(places, component) for component in names.ACCOUNTS}
    player = _kubeconfig(places, names.STAGES, Subject("kwok", ("system:masters",)))
    stage_file = TextFile(seat.folder / "stages.yaml", stages.config())
    api, handler, controller = (places.pair(secret) for secret in SECRETS)
    arguments: dict[str, tuple[str, ...]] = {
        names.OPERATOR: (f"--listen={places.operator_address}", f"--port={places.operator}"),
        names.API: (
            f"--listen={places.api_address}",
            f"--port={places.api}",
            f"--tls-cert-file={api[0]}",
            f"--tls-key-file={api[1]}",
            f"--handler-cert-file={handler[0]}",
            f"--handler-key-file={handler[1]}",
        ),
        names.CONTROLLER: (
            f"--listen={loopback(places.controller).partition(':')[0]}",
            f"--port={places.controller}",
            f"--launcher-image={image('virt-launcher', version)}",
            f"--exporter-image={image('virt-exportserver', version)}",
            f"--prom-cert-file={controller[0]}",
            f"--prom-key-file={controller[1]}",
        ),
    }
    env = environment(version)
    programs = [
        _planned(places, component, (str(upstream.program(component)), f"--kubeconfig={own.path}", *more), own, env)
        for component, own, more in ((c, identities[c], arguments[c]) for c in names.ACCOUNTS)
    ]
    kwok = (
        str(upstream.program("kwok")),
        f"--config={stage_file.path}",
        f"--kubeconfig={player.path}",
        "--manage-all-nodes=false",
        f"--manage-single-node={NO_NODE}",
        f"--server-address={loopback(places.stages)}",
        "--v=WARN",
    )
    programs.append(_planned(places, names.STAGES, kwok, player, {}, stage_file.path))
    kubeconfigs = (*identities.values(), player)
    return Plan(
        (seat.folder, seat.folder / "pki"),
        tuple(kubeconfig.certificate for kubeconfig in kubeconfigs),
        kubeconfigs,
        (stage_file,),
        tuple(programs),
    )


def environment(version: str) -> dict[str, str]:
    """By which virt-operator knows what it installs."""
    return {"VIRT_OPERATOR_IMAGE": image(names.OPERATOR, version), names.VERSION_VARIABLE: version}


def image(component: str, version: str) -> str:
    """Named in Deployments and pods, pulled by nobody."""
    return f"{names.REGISTRY}/{component}:{version}"


def operator_kubeconfig(places: Places) -> Path:
    """virt-operator's, which its install-strategy job uses too."""
    return places.seat.folder / f"{names.OPERATOR}.kubeconfig"


def _identity(places: Places, component: str) -> Kubeconfig:
    return _kubeconfig(places, component, Subject(names.user(component), names.groups()))


def _kubeconfig(places: Places, component: str, subject: Subject) -> Kubeconfig:
    seat = places.seat
    certificate = Certificate(seat.folder / "pki", component, "ca", subject)
    server = seat.server or "https://127.0.0.1:0"  # of a WEC that is not made yet, in check mode
    return Kubeconfig(seat.folder / f"{component}.kubeconfig", server, component, certificate)


def _planned(
    places: Places,
    component: str,
    argv: tuple[str, ...],
    kubeconfig: Kubeconfig,
    env: dict[str, str],
    *reads: Path,
) -> PlannedProgram:
    seat = places.seat
    running = Program(names.program(component, seat.wec), argv, env, seat.folder, priority=PRIORITY[component])
    return PlannedProgram(running, component, seat.wec, (kubeconfig.path, *reads))
