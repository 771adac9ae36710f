"""The files and the program of one WEC's Karpenter, pure but for the ports."""

from __future__ import annotations

from fleet.host.authority import Subject
from fleet.host.plan import Certificate, Kubeconfig, Plan, PlannedProgram
from fleet.host.supervisor_config import Program
from fleet.platforms.karpenter import names
from fleet.platforms.platform import Seat

METRICS, HEALTH = "metrics", "health"
"""What its two ports are for."""
PRIORITY = 500


def ports(seat: Seat) -> tuple[int, int]:
    """Of its metrics and of its health, taken from the registry; in check mode those that are taken, or zeros."""
    metrics, health = (seat.port(what, (names.program(seat.wec),)) for what in (METRICS, HEALTH))
    return metrics, health


def plan(seat: Seat) -> Plan:
    """Everything: an identity, a kubeconfig, the program."""
    certificate = Certificate(seat.folder / "pki", names.CONTROLLER, "ca", Subject(names.USER, names.GROUPS))
    server = seat.server or "https://127.0.0.1:0"  # of a WEC that is not made yet, in check mode
    kubeconfig = Kubeconfig(seat.folder / "karpenter.kubeconfig", server, names.CONTROLLER, certificate)
    variables = seat.variables
    metrics, health = ports(seat)
    argv = (
        str(seat.upstream.program(names.CONTROLLER)),
        f"--metrics-port={metrics}",
        f"--health-probe-port={health}",
        "--disable-leader-election=true",  # there is one, and it needs no lease
        f"--kube-client-qps={variables.karpenter_qps}",
        f"--kube-client-burst={variables.karpenter_burst}",
        *(("--enable-profiling=true",) if seat.machine.options.debug else ()),
        *variables.karpenter_extra_args,
    )
    env = {"KUBECONFIG": str(kubeconfig.path), **variables.karpenter_env}
    running = Program(names.program(seat.wec), argv, env, seat.folder, priority=PRIORITY)
    program = PlannedProgram(running, names.CONTROLLER, seat.wec, (kubeconfig.path,))
    return Plan((seat.folder, seat.folder / "pki"), (certificate,), (kubeconfig,), (), (program,))
