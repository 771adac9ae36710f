"""The WECs of one machine at every hub of the fleet: of each WEC one OCM agent per hub, and what runs alongside them.

OCM's agent knows one hub. What two of them in one WEC must not share are flags of it (OCM v1.2.0, pkg/registration/
spoke/options.go and pkg/common/options/agent.go): the Secret of the hub credential (`--hub-kubeconfig-secret`), its
folder (`--hub-kubeconfig-dir`) and the agent's id (`--agent-id`), by which each takes care of its own
AppliedManifestWorks alone (pkg/work/helper, AppliedManifestworkAgentIDFilter); their names begin with a hash of the
hub's address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

from fleet.errors import UsageError
from fleet.host.change import Change
from fleet.host.files import remove_tree
from fleet.host.layout import Layout
from fleet.install import dial
from fleet.install.objects import Ledger
from fleet.install.waiting import drained
from fleet.kube.client import KubeClient
from fleet.managers.ocm import names, spoke
from fleet.managers.ocm.agents import (
    PROBE_SECONDS,
    AgentsSpec,
    converge_agents,
    end_agents,
    leave_agents,
    reachable_wec,
    registered,
    start_agents,
)

WORKS_SECONDS = 30.0
"""For agents to take down what a hub had delivered that no longer answers; counted from the last that went."""
POLL_SECONDS = 0.5


def seats(layout: Layout) -> list[str]:
    """Further hubs that WECs of this machine have agents at, or had when somebody was interrupted."""
    begin = f"{names.AGENTS_GROUP}-"
    return sorted(path.name.removeprefix(begin) for path in layout.root.glob(f"{begin}*") if path.is_dir())


def at_seat(spec: AgentsSpec, hub: str) -> AgentsSpec:
    """The same WECs at a further hub, whose control plane is on this machine."""
    return replace(spec, hub=hub, seat=hub, beside=tuple(companion.at(hub) for companion in spec.beside))


def converge_memberships(spec: AgentsSpec, further: Sequence[str] = ()) -> Change:
    """Register the WECs at the first hub and at those, and take them out of every other; as `converge_agents`.

    UsageError when the WECs reach the hub from another machine or through a link: both lead to one hub.
    """
    _check_way(spec, further)
    first = replace(spec, beside=tuple(companion.at("") for companion in spec.beside)) if further else spec
    return Change.merge(
        [retire_seats(spec, further), converge_agents(first), *(converge_agents(at_seat(spec, hub)) for hub in further)]
    )


def leave_memberships(spec: AgentsSpec) -> Change:
    """Let WECs go that are not in `spec.wecs`, at every hub; nothing is registered."""
    places = [spec, *(at_seat(spec, hub) for hub in seats(spec.layout))]
    gone = [(place, [w for w in registered(place.layout, place.seat) if w not in place.wecs]) for place in places]
    return Change.merge([leave_agents(place, wecs) for place, wecs in gone])


def retire_seats(spec: AgentsSpec, kept: Collection[str]) -> Change:
    """Take all WECs out of further hubs that are not in `kept`, and remove everything that their agents had.

    To be called while those hubs still run. From one that does not answer nobody can be taken out: then the agents are
    made to take down what it had delivered, and what is not gone in time is reported.
    """
    return Change.merge([_retire(at_seat(spec, hub)) for hub in seats(spec.layout) if hub not in kept])


def _retire(spec: AgentsSpec) -> Change:
    wecs = registered(spec.layout, spec.seat)
    told = Change({f"agents at {spec.hub}": "present"}, {})
    if spec.machine.check:
        return told
    left = leave_agents(spec, wecs) if asyncio.run(_answers(spec)) else _abandon(spec, wecs)
    ended = spec.machine.supervisor.drop(spec.group, spec.beside_names())
    for companion in spec.beside:
        companion.forget(spec.machine)
    remove_tree(spec.layout.root / spec.group)
    return Change.merge([told, left, ended])


async def _answers(spec: AgentsSpec) -> bool:
    if not spec.admin.exists():
        return False
    async with dial.client(spec.layout, spec.hub, timeout=PROBE_SECONDS) as hub:
        return await hub.ready(PROBE_SECONDS)


def _abandon(spec: AgentsSpec, wecs: Sequence[str]) -> Change:
    start_agents(spec, wecs)
    ledger = Ledger()
    asyncio.run(_take_down(spec, wecs, ledger))
    return Change.merge([ledger.change, end_agents(spec, wecs)])


async def _take_down(spec: AgentsSpec, wecs: Sequence[str], ledger: Ledger) -> None:
    reachable = reachable_wec(spec)

    async def one(wec: str) -> None:
        if not await reachable(wec):
            return
        async with dial.client(spec.layout, wec) as client:
            left = await disowned(client, spec.seat)
            await spoke.forget(client, spec.seat)
        if left:
            ledger.notes.append(f"{wec}: {left} works of {spec.hub}, which does not answer, stay with their objects")

    await asyncio.gather(*(one(wec) for wec in wecs))


async def disowned(wec: KubeClient, seat: str, seconds: float = WORKS_SECONDS) -> int:
    """Delete what the WEC's agent at that seat applied, and wait for it to go; how many works were left."""

    async def count() -> int:
        return len(await spoke.applied(wec, seat))

    await spoke.disown(wec, seat)
    return await drained(count, seconds, POLL_SECONDS)


def _check_way(spec: AgentsSpec, further: Sequence[str]) -> None:
    if further and (spec.access or spec.hub_kubeconfig or spec.hub_server or spec.link_server):
        raise UsageError(
            f"{spec.hub}, {', '.join(further)}: several hubs need all control planes on one machine, no link (wan), and"
            " no other address of the hub: those lead to one"
        )
