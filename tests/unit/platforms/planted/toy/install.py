"""The smallest platform."""

from __future__ import annotations

from fleet.host.plan import Plan, PlannedProgram, TextFile
from fleet.host.supervisor_config import Program
from fleet.host.weight import MIB, Weight
from fleet.install.objects import Ledger, ensure, remove
from fleet.kube.client import KubeClient
from fleet.kube.resources import CONFIGMAPS
from fleet.platforms.platform import Platform, Seat, Start


class Toy(Platform):
    """As in Platform."""

    weight = Weight(MIB, 0, 0, 1, 1, MIB)

    def plan(self, seat: Seat) -> Plan:
        """As in Platform."""
        note = TextFile(seat.folder / "port", f"{seat.port('toy', ('toy.' + seat.wec,))}\n")
        running = Program(f"toy.{seat.wec}", ("/bin/sleep", "3600"), {}, seat.folder, priority=500)
        return Plan((seat.folder,), (), (), (note,), (PlannedProgram(running, "toy", seat.wec, (note.path,)),))

    async def install(self, seat: Seat, client: KubeClient, ledger: Ledger, start: Start) -> None:
        """As in Platform."""
        await ensure(
            client, CONFIGMAPS, {"metadata": {"name": "toy", "namespace": "default"}, "data": {"a": "b"}}, ledger
        )
        start([f"toy.{seat.wec}"])

    async def remove(self, seat: Seat, client: KubeClient, ledger: Ledger) -> None:
        """As in Platform."""
        if not ledger.check and await remove(client, CONFIGMAPS, "toy", "default"):
            ledger.record(f"{seat.wec} toy", str(seat.upstream.program("toy")), None)


PLATFORM = Toy()
