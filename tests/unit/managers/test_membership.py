"""Members of managers that know a WEC by one object of their hub: what is reported in check mode, and what is
refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fleet.errors import UsageError
from fleet.host.machine import Machine
from fleet.host.supervisor_config import Program
from fleet.install.objects import Ledger
from fleet.install.upstream import UpstreamFolders
from fleet.kube.client import KubeClient
from fleet.managers import membership
from fleet.managers.installer import Site, Way
from fleet.managers.manager import Registration
from fleet.managers.membership import MemberInstaller, Membership, Roster
from fleet.testing.api_server.server import FakeApiServer

UPSTREAM = UpstreamFolders((Path("/TOOLCHAIN/bin"),), check=True)


@dataclass
class Kept:
    """A membership that notes what is done; members are those taken in and not let go."""

    hub: str = "hub9"
    agent: str = "some-agent"
    ports: int = 0
    again: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    done: list[str] = field(default_factory=list)

    async def leftover(self, hub: KubeClient, wecs: Mapping[str, KubeClient]) -> Collection[str]:  # noqa: ARG002
        return [wec for wec in wecs if wec in self.again]

    async def take_in(self, hub: KubeClient, wec: KubeClient, ledger: Ledger) -> None:  # noqa: ARG002
        self.done.append(f"{'would take' if ledger.check else 'take'} {wec.cluster}")

    def credentials(self, site: Site, wec: str, folder: Path, context: str, ledger: Ledger) -> None:  # noqa: ARG002
        self.done.append(f"{wec} at {context[:5]}")

    def program(self, site: Site, wec: str, folder: Path, port: int) -> Program | None:
        """None."""

    async def registrations(self, hub: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:  # noqa: ARG002
        return {wec: Registration("Absent" if wec in self.absent else "Member") for wec in wecs}

    async def let_go(self, hub: KubeClient, wecs: Collection[str], ledger: Ledger, seconds: float) -> None:  # noqa: ARG002
        self.done.append(f"let go {','.join(wecs)}")

    async def clear(self, wec: KubeClient, ledger: Ledger) -> None:  # noqa: ARG002
        self.done.append(f"clear {wec.cluster}")


class Keeping(MemberInstaller):
    def membership(self, site: Site, way: Way) -> Membership:  # noqa: ARG002
        return Kept()


def site_of(root: Path, *wecs: str, check: bool = True) -> Site:
    return Site(Machine("demo", root / "demo", UPSTREAM, check=check), UPSTREAM, wecs=wecs)


def folder(site: Site, wec: str) -> Path:
    made = site.layout.root / membership.AGENTS / wec
    made.mkdir(parents=True)
    return made


def test_members_are_found_by_their_folders(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    assert membership.members(site.layout) == []
    for wec in ("wec002", "wec001"):
        folder(site, wec)
    assert membership.members(site.layout) == ["wec001", "wec002"]
    assert Keeping().labels(site.layout) == {"wec001": {"name": "wec001"}, "wec002": {"name": "wec002"}}


def test_check_mode_tells_who_would_leave_and_who_would_come(tmp_path: Path) -> None:
    site = site_of(tmp_path, "wec002", "wec003")
    for wec in ("wec001", "wec002"):
        folder(site, wec)
    kept = Kept()
    assert Roster(site, kept).leave().before == {"member wec001": "present"}
    change = Roster(site, kept).join()
    assert change.before == {"member wec001": "present"}
    assert change.after == {"member wec002": "present", "member wec003": "present"}  # the hub is not there to ask
    assert kept.done == []
    assert membership.members(site.layout) == ["wec001", "wec002"]


def test_a_control_plane_that_is_not_there_is_named_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="control plane hub9 is not on this machine"):
        Roster(site_of(tmp_path, "wec001", check=False), Kept()).join()


def test_who_leaves_a_hub_that_is_gone_loses_its_agent_and_files_and_that_is_told(tmp_path: Path) -> None:
    site = site_of(tmp_path, check=False)
    site.layout.root.mkdir(mode=0o700)
    folder(site, "wec001")
    site.machine.take("some-agent.wec001", 3, in_use=False)
    kept = Kept()
    change = Roster(site, kept).leave()
    assert change.before == {"member wec001": "present"}
    assert change.notes == ("hub9 is gone: what it had delivered stays in wec001",)
    assert membership.members(site.layout) == []
    assert site.machine.registry.blocks("demo") == []


async def test_members_come_and_go_over_api_servers(tmp_path: Path) -> None:
    """The whole way but for agents: those that must come in another way leave first."""
    site = site_of(tmp_path, "wec001", "wec002", check=True)
    async with FakeApiServer("hub9", tls=True) as hub, FakeApiServer("wec001", tls=True) as one:
        for server in (hub, one):
            site.layout.cluster(server.cluster).mkdir(parents=True, mode=0o700)
            server.write_kubeconfig(site.layout.kubeconfig(server.cluster))
        kept = Kept(again=("wec001",))
        ledger = Ledger(check=True)
        told = await Roster(site, kept)._prepare(ledger)
        assert told.before == {"member wec001": "present"}
        assert kept.done == ["would take wec001", "wec001 at hub9-"]
