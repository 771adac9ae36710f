"""WECs of one machine as members of one hub, for managers that know each by an object of their hub and need at most one
agent per WEC: what is theirs is a `Membership`, what is alike is here."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fleet.errors import DeadlineError, UsageError
from fleet.host.change import Change
from fleet.host.files import private_directory, remove_tree
from fleet.host.layout import Layout
from fleet.host.records import stored_planes
from fleet.host.supervisor_config import Program
from fleet.install import dial
from fleet.install.objects import Ledger
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.resources import NAMESPACES
from fleet.managers.installed import AGENTS
from fleet.managers.installer import Installer, Site, Way
from fleet.managers.manager import ABSENT, Registration
from fleet.managers.named import named
from fleet.model.fleet_file import WEC

AT_ONCE = 8
"""WECs that are prepared at the same time."""


class Membership(Protocol):
    """How one manager takes a WEC in and lets it go. Names of WECs are those of their control planes."""

    @property
    def hub(self) -> str:
        """The control plane at which WECs are members."""
        ...

    @property
    def agent(self) -> str:
        """Component of an agent: its program is `<agent>.<wec>`, which is also who owns its ports."""
        ...

    @property
    def ports(self) -> int:
        """Of one agent; 0 where the hub does all."""
        ...

    async def leftover(self, hub: KubeClient, wecs: Mapping[str, KubeClient]) -> Collection[str]:
        """Those that are members in a way in which they cannot stay: they have to leave first. Only reads."""
        ...

    async def take_in(self, hub: KubeClient, wec: KubeClient, ledger: Ledger) -> None:
        """Bring about what must be in the hub and in the WEC before its agent starts; with `ledger.check` only say."""
        ...

    def credentials(self, site: Site, wec: str, folder: Path, context: str, ledger: Ledger) -> None:
        """Write what its agent starts with into its folder; with `ledger.check` only say. `context` is what it calls
        the hub: another one when the hub's data are others, so that the agent starts again."""
        ...

    def program(self, site: Site, wec: str, folder: Path, port: int) -> Program | None:
        """Its agent; None where the hub does all."""
        ...

    async def registrations(self, hub: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:
        """How each stands with the hub."""
        ...

    async def let_go(self, hub: KubeClient, wecs: Collection[str], ledger: Ledger, seconds: float) -> None:
        """Take them off, and with them what was delivered; agents and the hub's programs run. What takes longer than
        `seconds` without progress is forced, and a note says what stays."""
        ...

    async def clear(self, wec: KubeClient, ledger: Ledger) -> None:
        """Remove what `take_in` and an agent left in the WEC; no agent runs for it any more."""
        ...


def members(layout: Layout) -> list[str]:
    """WECs of this machine that are members: the folder is made first and removed last, so half-made ones count."""
    return sorted(path.name for path in (layout.root / AGENTS).glob("*") if path.is_dir())


@dataclass(frozen=True)
class Roster:
    """The members that one machine shall have. Every method returns what changed, or with check mode would."""

    site: Site
    membership: Membership

    def join(self) -> Change:
        """Make exactly `site.wecs` members. Killed at any moment, the next call repairs.

        UsageError when a control plane is not there; DeadlineError names WECs that are late (the others are members).
        """
        site = self.site
        if not site.machine.check:
            self._require()
        left = self.leave()
        ledger = Ledger(check=site.machine.check)
        again = asyncio.run(self._prepare(ledger))
        programs = [program for wec in site.wecs if (program := self._program(wec)) is not None]
        if site.machine.check:
            started = site.machine.supervisor.converge(AGENTS, programs, check=True)
            return Change.merge([left, again, ledger.change, started])
        with site.machine.supervisor.stage(AGENTS, programs) as staged:
            late = asyncio.run(self._start(staged.start))
        if staged.watched and not late:
            site.machine.supervisor.settle(staged.watched)
        if late:
            raise DeadlineError(self._late(late))
        return Change.merge([left, again, ledger.change, staged.change])

    def leave(self) -> Change:
        """Let go the members that are not in `site.wecs`."""
        return self._release([wec for wec in members(self.site.layout) if wec not in self.site.wecs])

    def clear(self) -> Change:
        """Remove from all WECs of the machine what joining had put there."""
        ledger = Ledger(check=self.site.machine.check)
        planes = [plane.name for plane in stored_planes(self.site.layout) if plane.role == WEC]

        async def one(wec: str) -> None:
            async with dial.client(self.site.layout, wec) as client:
                if await dial.answers(client):
                    await self.membership.clear(client, ledger)
                else:
                    ledger.notes.append(f"{wec} does not answer: what its membership had put there stays in it")

        asyncio.run(each(planes, one, at_once=AT_ONCE))
        return ledger.change

    # --- one by one -----------------------------------------------------------------------------------------------
    def _folder(self, wec: str) -> Path:
        return self.site.layout.root / AGENTS / wec

    def _agent(self, wec: str) -> str:
        return f"{self.membership.agent}.{wec}"

    def _require(self) -> None:
        for name in (self.membership.hub, *self.site.wecs):
            if not self.site.layout.kubeconfig(name).exists():
                raise UsageError(f"control plane {name} is not on this machine: build the control planes first")

    async def _prepare(self, ledger: Ledger) -> Change:
        """Objects and files of every wanted member; those that must come in another way leave first."""
        site, layout = self.site, self.site.layout
        if not layout.kubeconfig(self.membership.hub).exists():
            return Change({}, {f"member {wec}": "present" for wec in site.wecs})
        async with dial.client(layout, self.membership.hub) as hub:
            if ledger.check and not await dial.answers(hub):
                return Change({}, {f"member {wec}": "present" for wec in site.wecs})
            known = [wec for wec in site.wecs if layout.kubeconfig(wec).exists()]
            clients = {wec: dial.client(layout, wec) for wec in known}
            try:
                answering = {wec: client for wec, client in clients.items() if await dial.answers(client)}
                again = await self.membership.leftover(hub, answering)
                released = await asyncio.to_thread(self._release, sorted(again)) if again else Change.none()
                if not ledger.check:
                    answering = clients

                async def one(wec: str) -> None:
                    if not ledger.check:
                        for folder in (self._folder(wec).parent, self._folder(wec)):
                            private_directory(folder)
                    await self.membership.take_in(hub, answering[wec], ledger)
                    await asyncio.to_thread(self.membership.credentials, site, wec, self._folder(wec), context, ledger)

                context = await self._context(hub)
                await each(list(answering), one, at_once=AT_ONCE)
                await self._wake(hub, ledger)
            finally:
                for client in clients.values():
                    await client.close()
        return released

    async def _context(self, hub: KubeClient) -> str:
        """The hub with the uid of its data."""
        system = await hub.get(NAMESPACES, "kube-system")
        return f"{self.membership.hub}-{str(system['metadata']['uid'])[:8]}"

    async def _wake(self, hub: KubeClient, ledger: Ledger) -> None:
        """An agent registers its WEC when it starts: one that runs while the hub does not know the WEC is to start
        again."""
        live = self.site.machine.live_programs()
        for wec, found in (await self.membership.registrations(hub, self.site.wecs)).items():
            if found.word == ABSENT and self._agent(wec) in live:
                ledger.record(f"agent of {wec}", "its hub does not know the WEC", "started again")
                if not ledger.check:
                    await asyncio.to_thread(self.site.machine.supervisor.stop, self._agent(wec))

    def _program(self, wec: str) -> Program | None:
        machine, name = self.site.machine, self._agent(wec)
        if self.membership.ports == 0:
            return None
        block = machine.take(name, self.membership.ports, in_use=name in machine.live_programs())
        return self.membership.program(self.site, wec, self._folder(wec), block.start)

    async def _start(self, start: Callable[[list[str]], None]) -> dict[str, str]:
        """Some at a time, the next when these are members; WECs that are late, each with what it lacks."""
        variables = self.site.variables
        late: dict[str, str] = {}
        wecs, most = self.site.wecs, variables.members_parallelism
        async with dial.client(self.site.layout, self.membership.hub) as hub:
            for first in range(0, len(wecs), most):
                wave = wecs[first : first + most]
                await asyncio.to_thread(start, [self._agent(wec) for wec in wave])
                late |= await self._wait(hub, wave, variables.members_join_seconds)
        return late

    async def _wait(self, hub: KubeClient, wecs: Sequence[str], seconds: float) -> dict[str, str]:
        missing: dict[str, str] = {}

        async def look() -> bool:
            nonlocal missing
            found = await self.membership.registrations(hub, wecs)
            missing = {wec: found[wec].problem for wec in wecs if found[wec].problem}
            return not missing

        try:
            await until(look, seconds, lambda: "", progress=lambda: len(missing))
        except DeadlineError:
            return missing
        return {}

    def _late(self, late: Mapping[str, str]) -> str:
        first, why = next(iter(late.items()))
        supervisor = self.site.machine.supervisor
        known = {state.name for state in supervisor.states()}
        lines = f"; its last lines:\n{supervisor.tail(self._agent(first))}" if self._agent(first) in known else ""
        return (
            f"{len(late)} WECs are no members of {self.membership.hub} after"
            f" {self.site.variables.members_join_seconds:g} s (members_join_seconds): {named(list(late))}."
            f" {first}: {why}{lines}"
        )

    def _release(self, wecs: Sequence[str]) -> Change:
        """Take members off the hub, end their agents, and remove their files; agents must run for that."""
        site = self.site
        told = Change({f"member {wec}": "present" for wec in wecs}, {})
        if site.machine.check or not wecs:
            return told
        self._start_known(wecs)
        ledger = Ledger()
        asyncio.run(self._let_go(wecs, ledger))
        ended = site.machine.supervisor.drop(AGENTS, [self._agent(wec) for wec in wecs])
        for wec in wecs:
            remove_tree(self._folder(wec))
            for log in site.layout.log.glob(f"{self._agent(wec)}.*"):
                log.unlink(missing_ok=True)
            site.machine.registry.give_back(site.machine.fleet, self._agent(wec))
        return Change.merge([told, ledger.change, ended])

    def _start_known(self, wecs: Sequence[str]) -> None:
        """Programs of the hub and those agents, as far as the supervisor knows them: only they can clean up."""
        supervisor = self.site.machine.supervisor
        agents = {self._agent(wec) for wec in wecs}
        for state in supervisor.states():
            if not state.running and (state.name in agents or state.name.endswith(f".{self.membership.hub}")):
                supervisor.start(state.name)

    async def _let_go(self, wecs: Sequence[str], ledger: Ledger) -> None:
        layout, hub = self.site.layout, self.membership.hub
        if not layout.kubeconfig(hub).exists():
            ledger.notes.append(f"{hub} is gone: what it had delivered stays in {named(list(wecs))}")
            return
        async with dial.client(layout, hub) as client:
            if not await dial.answers(client):
                ledger.notes.append(f"{hub} does not answer: what it had delivered stays in {named(list(wecs))}")
                return
            await self.membership.let_go(client, wecs, ledger, self.site.variables.members_leave_seconds)


class MemberInstaller(Installer, ABC):
    """A manager whose WECs are members in this way."""

    @abstractmethod
    def membership(self, site: Site, way: Way) -> Membership:
        """How it takes WECs of that machine in and lets them go."""

    def labels(self, layout: Layout) -> Mapping[str, Mapping[str, str]]:
        """As in Installer: managers of this kind select WECs by name."""
        return {wec: {"name": wec} for wec in members(layout)}

    def join(self, site: Site, way: Way) -> Change:
        """As in Installer."""
        return Roster(site, self.membership(site, way)).join()

    def leave(self, site: Site, way: Way) -> Change:
        """As in Installer."""
        return Roster(site, self.membership(site, way)).leave()

    def clear(self, site: Site) -> Change:
        """As in Installer."""
        return Roster(site, self.membership(site, Way())).clear()
