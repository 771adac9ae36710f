"""Commands over a real SSH connection: what comes back, and how each thing that can go wrong is reported."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.errors import DeadlineError, HostError
from fleet.model.fleet_file import Machine
from fleet.remote.shell import FabricShell
from tests.unit.remote.ssh_server import ssh_server

MUCH = 3 * 1024 * 1024
"""More than the window of a channel, 2 MiB: what nobody reads stops the program there."""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with ssh_server(tmp_path) as found:
        yield found


def sh(script: str) -> list[str]:
    return ["sh", "-c", script]


def test_output_input_and_exit_code(machine: Machine) -> None:
    with FabricShell(machine) as shell:
        assert shell.run(["cat"], stdin=b"given\n") == "given\n"
        with pytest.raises(HostError, match=r"machine m2: `sh -c echo no >&2; exit 3` ended with 3: no"):
            shell.run(sh("echo no >&2; exit 3"))
        answers: list[bytes] = []
        shell.ask(["cat"], [b"1", b"2"], answers.append)
        assert answers == [b"1\n", b"2\n"]
        with pytest.raises(HostError, match="ended: gone"):
            shell.ask(sh("echo gone >&2"), [b"1"], answers.append)


def test_a_program_that_complains_at_length_is_not_stopped_by_it(machine: Machine) -> None:
    script = f"head -c {MUCH} /dev/zero >&2; echo >&2; echo the end >&2; echo done"
    with FabricShell(machine) as shell:
        assert shell.run(sh(script), seconds=20) == "done\n"
        with pytest.raises(HostError, match="ended with 1: the end"):
            shell.run(sh(f"{script}; exit 1"), seconds=20)
        answers: list[bytes] = []
        shell.ask(sh(script), [b""], answers.append)
        assert answers == [b"done\n"]
        said: list[bytes] = []
        assert shell.follow(sh(script), answers.append, said.append) == 0
        assert len(b"".join(said)) > MUCH


def test_one_that_says_nothing_ends_the_wait(machine: Machine) -> None:
    with FabricShell(machine) as shell, pytest.raises(DeadlineError, match="machine m2: `sleep` did not answer"):
        shell.run(["sleep", "60"], seconds=0.2)


def test_a_machine_that_refuses_the_command_is_an_error_of_ours(tmp_path: Path) -> None:
    with ssh_server(tmp_path, open_channels=False) as machine, FabricShell(machine) as shell:
        with pytest.raises(HostError, match="machine m2: the connection ended: ChannelException"):
            shell.run(["true"])
        with pytest.raises(HostError, match="machine m2: the connection ended"):
            shell.follow(["true"], lambda _: None, lambda _: None)
        with pytest.raises(HostError, match="machine m2: the connection ended"):
            shell.ask(["true"], [b""], lambda _: None)


def test_a_machine_that_is_gone_ends_the_connection(machine: Machine) -> None:
    with FabricShell(machine) as shell:
        wire = None

        def cut(_: bytes) -> None:
            nonlocal wire
            wire = shell._connection.transport.sock
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
            wire.shutdown(socket.SHUT_RDWR)

        with pytest.raises(HostError, match="machine m2"):
            shell.ask(["cat"], [b"1", b"2"], cut)
        assert wire is not None


def test_another_host_key_is_refused(machine: Machine, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(known.read_text().replace("AAAA", "AAAB", 1).replace("AAAB", "AAAA", 1)[:-10] + "AAAAAAAAA\n")
    with FabricShell(machine) as shell, pytest.raises(HostError, match="shows another host key"):
        shell.run(["true"])
