"""The fault `restart-loop`: a program is killed again and again, each time that it has come back."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

from fleet.faults.back import bring_back, processes, ready
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.targets import find, of_programs, own_programs
from fleet.host.daemon import kill
from fleet.host.supervise import Supervisor
from fleet.model.base import Model
from fleet.model.duration import Duration
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile


class LoopSettings(Model):
    """Of `restart-loop`."""

    every: Duration = 3.0
    """From one SIGKILL to the next. A supervisor that gave up is instructed to start it again."""


class RestartLoop(Plain):
    """See `Fault`. The thread ends with the helper's process, so that nobody else has to end it."""

    name = "restart-loop"
    settings = LoopSettings

    def __init__(self) -> None:
        self._loops: dict[str, tuple[Event, Thread]] = {}

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:
        """See `Fault`."""
        return of_programs(wanted, own_programs(wanted, find(wanted, fleet, chosen), fleet), fleet)

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        over, every = Event(), LoopSettings.model_validate(aim.settings).every

        def loop() -> None:
            supervisor = Supervisor(root)
            while True:
                kill(processes(supervisor, aim.parts), grace=0.0)
                if over.wait(every):
                    return
                for state in supervisor.states():
                    if state.name in aim.parts and state.state == "FATAL":
                        supervisor.start(state.name)

        thread = Thread(target=loop, daemon=True)
        thread.start()
        self._loops[aim.key] = over, thread

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if aim.key in self._loops:
            over, thread = self._loops.pop(aim.key)
            over.set()
            thread.join()
        bring_back(Supervisor(root), aim.parts)
        ready(root, aim.clusters)
