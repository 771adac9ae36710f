"""Which host carries which instance, and how members are distinguished from processes of their own."""

from pathlib import Path

import pytest

from fleet.host.hosted import Hosting, carrier, is_member, of_host
from fleet.host.layout import Layout
from fleet.host.pages import Started
from fleet.host.program_folders import ProgramFolders

LAYOUT = Layout(Path("/STATE/demo"))
HOSTING = Hosting(LAYOUT, ProgramFolders((Path("/TOOLCHAIN"),), check=True), "kwok-host", "kwok-host", 25)


@pytest.mark.parametrize(
    ("wec", "number"), [("wec001", 0), ("wec025", 0), ("wec026", 1), ("edge-100", 3), ("wec000", 0)]
)
def test_neighbours_by_number_share_a_host(wec: str, number: int) -> None:
    assert HOSTING.number(wec) == number


def test_names_without_a_number_have_a_host_too_and_always_the_same() -> None:
    assert HOSTING.number("east") == HOSTING.number("east")
    assert 0 <= HOSTING.number("east") < 8


def test_a_member_dials_the_host_that_is_started_for_it() -> None:
    argv = HOSTING.member("wec030", "wec030", ["--kubeconfig=k"])
    (host,) = HOSTING.hosts(["wec026", "wec030"], priority=390)
    assert host.name == "kwok-host.1"
    assert host.argv == ("/TOOLCHAIN/kwok-host", "--members=/STATE/demo/run/kwok-host.1.sock")
    assert argv == (
        "/TOOLCHAIN/fleet-member", "--host=/STATE/demo/run/kwok-host.1.sock", "--name=wec030", "--kubeconfig=k"
    )  # fmt: skip
    assert is_member(argv)
    assert not is_member(("/TOOLCHAIN/kwok", "--kubeconfig=k"))


def test_a_host_shows_its_profiles_on_a_socket_beside_that_of_its_members() -> None:
    (host,) = HOSTING.hosts(["wec001"], priority=390)
    pages = of_host(Started(LAYOUT, {}, "0", host.argv))
    assert (pages.metrics, pages.pprof) == ("", "unix:/STATE/demo/run/kwok-host.0.sock.pages:/debug/pprof")


def test_a_members_version_is_that_of_its_host() -> None:
    hosts = [host.argv for host in HOSTING.hosts(["wec001", "wec030"], priority=390)]
    member, own = HOSTING.member("wec030", "wec030", []), ("/TOOLCHAIN/kwok",)
    assert carrier(member, [own, *hosts]) == ("/TOOLCHAIN/kwok-host", "--members=/STATE/demo/run/kwok-host.1.sock")
    assert carrier(own, hosts) == own
    assert carrier(member, [own]) == member
