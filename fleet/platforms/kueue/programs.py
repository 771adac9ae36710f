"""The files and the program of one WEC's Kueue, pure but for the ports."""

from __future__ import annotations

from fleet.host.authority import Subject
from fleet.host.pki import ADMIN_GROUP
from fleet.host.plan import Certificate, Kubeconfig, Plan, PlannedProgram, TextFile
from fleet.host.supervisor_config import Program
from fleet.platforms.kueue import names, objects
from fleet.platforms.kueue.places import Places

PRIORITY = 500


def plan(places: Places) -> Plan:
    """An identity, a configuration, the program."""
    seat = places.seat
    # An admin: upstream's role is one of hundreds of lines, and what it may do is not what is measured.
    certificate = Certificate(seat.folder / "pki", names.CONTROLLER, "ca", Subject(names.USER, (ADMIN_GROUP,)))
    server = seat.server or "https://127.0.0.1:0"  # of a WEC that is not made yet, in check mode
    kubeconfig = Kubeconfig(seat.folder / "kubeconfig", server, names.CONTROLLER, certificate)
    config = TextFile(seat.folder / "config.json", objects.configuration(places))
    argv = (
        str(seat.upstream.program(names.CONTROLLER)),
        f"--config={config.path}",
        f"--kubeconfig={kubeconfig.path}",
        "--zap-log-level=error",
    )
    running = Program(names.program(seat.wec), argv, {}, seat.folder, priority=PRIORITY)
    return Plan(
        (seat.folder, seat.folder / "pki", places.certificates),
        (certificate,),
        (kubeconfig,),
        (config,),
        (PlannedProgram(running, names.CONTROLLER, seat.wec, (kubeconfig.path, config.path)),),
    )
