"""WECs at a hub that has one object for each: how each is registered, and whether all those of a run are members."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.errors import FleetError
from fleet.kube.client import KubeClient
from fleet.kube.resources import Resource
from fleet.managers.manager import ABSENT, Registration
from fleet.managers.named import named

Member = Mapping[str, Any]


@dataclass(frozen=True)
class Roll:
    """The objects of `resource` at a hub, named after their WECs."""

    resource: Resource
    word: Callable[[Member], str]
    """One word for such an object."""
    problems: Mapping[str, str]
    """What is wrong, by word, as in `Registration`; a word that is not here is that of a member as it should be."""
    wanted: str
    """What all WECs of a run must be, for an error: `registered and Ready`."""

    async def registrations(self, hub: KubeClient, wecs: Collection[str]) -> dict[str, Registration]:
        """Each of those WECs with the word of its object, or `Absent`; KubeError when the hub does not answer."""
        return self._registrations(hub, await self._members(hub), wecs)

    async def check(self, hub: KubeClient, wecs: Collection[str]) -> Mapping[str, Member]:
        """The object of each WEC that the hub has; FleetError that names those of `wecs` that are not as wanted."""
        members = await self._members(hub)
        wrong = [wec for wec, found in self._registrations(hub, members, wecs).items() if found.problem]
        if wrong:
            raise FleetError(
                f"{hub.cluster}: {len(wrong)} of {len(wecs)} WECs are not {self.wanted}: {named(wrong)}. See"
                " `fleet status`; `fleet up` repairs what it built"
            )
        return members

    async def _members(self, hub: KubeClient) -> dict[str, Member]:
        return {item["metadata"]["name"]: item for item in await hub.list_all(self.resource)}

    def _registrations(
        self, hub: KubeClient, members: Mapping[str, Member], wecs: Collection[str]
    ) -> dict[str, Registration]:
        absent = Registration(ABSENT, f"has no {self.resource.kind} in {hub.cluster}")
        words = {wec: self.word(members[wec]) for wec in wecs if wec in members}
        return {
            wec: Registration(words[wec], self.problems.get(words[wec], "")) if wec in words else absent for wec in wecs
        }
