"""A program on another machine that is spoken to over pipes, over a real SSH connection."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fleet.remote.pipe import RemotePipe, over_ssh
from tests.unit.remote.ssh_server import ssh_server

ENOUGH = 1000
"""Lines until a connection that was cut must be noticed."""


async def send_many(pipe: RemotePipe) -> None:
    for _ in range(ENOUGH):
        await pipe.send(b"lost")


async def test_a_line_goes_there_and_back(tmp_path: Path) -> None:
    with ssh_server(tmp_path) as machine:
        pipe = await over_ssh(machine, ["cat"])()
        await pipe.send(b"hello")
        assert await pipe.readline() == b"hello\n"
        await pipe.close()


async def test_a_connection_that_is_cut_is_an_oserror_and_an_end(tmp_path: Path) -> None:
    """Paramiko notifies the writer in three ways, by when it looks: a closed channel, EOFError, SSHException."""
    with ssh_server(tmp_path) as machine:
        pipe = await over_ssh(machine, ["cat"])()
        assert isinstance(pipe, RemotePipe)
        pipe._shell._connection.transport.sock.shutdown(socket.SHUT_RDWR)
        with pytest.raises(OSError):  # noqa: PT011 - which of them is a matter of time
            await send_many(pipe)
        while await pipe.readline():
            pass
        await pipe.close()
