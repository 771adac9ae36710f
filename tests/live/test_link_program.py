"""The program `fleet-link` alone, between a client and a server of this test: delay, rate, changes while it runs."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleet.host.link import SocketControl, bring, toxics
from fleet.model.link import Link
from fleet.toolchain import locate
from tests.live.lab import REPO

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("link-program")]

EARLY = 0.002
"""Seconds. The program counts milliseconds."""


def echo(server: socket.socket) -> None:
    """Sends back what comes, on every connection, until the server is closed."""

    def serve(connection: socket.socket) -> None:
        with connection:
            while content := connection.recv(65536):
                connection.sendall(content)

    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


@contextmanager
def running(link: Link) -> Iterator[tuple[int, SocketControl]]:
    """The port of a link in front of an echo server, and its control."""
    with tempfile.TemporaryDirectory(prefix="fk-") as name, socket.create_server(("127.0.0.1", 0)) as server:
        folder = Path(name)
        threading.Thread(target=echo, args=(server,), daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        documents = ",".join(repr(toxic.document()).replace("'", '"') for toxic in toxics(link))
        (folder / "toxics.json").write_text(f"[{documents}]", encoding="ascii")
        argv = [
            str(locate(REPO / "toolchain").program("fleet-link")),
            f"--listen=127.0.0.1:{port}",
            f"--upstream=127.0.0.1:{server.getsockname()[1]}",
            f"--toxics={folder / 'toxics.json'}",
            f"--api={folder / 'link.sock'}",
        ]
        control = SocketControl(folder / "link.sock")
        process = subprocess.Popen(argv)
        try:
            answers(control, process)
            assert (folder / "link.sock").stat().st_mode & 0o777 == 0o600
            yield port, control
        finally:
            process.terminate()
            assert process.wait(10) == 0
            assert not (folder / "link.sock").exists()


def answers(control: SocketControl, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            control.attributes()
        except OSError:
            assert process.poll() is None, "it ended"
            assert time.monotonic() < end, "it did not answer"
            time.sleep(0.02)
        else:
            return


def round_trip(client: socket.socket, content: bytes = b"x") -> float:
    began = time.monotonic()
    client.sendall(content)
    left = len(content)
    while left:
        left -= len(client.recv(65536))
    return time.monotonic() - began


def test_the_delay_is_what_was_asked_for_and_changes_on_an_open_connection() -> None:
    with running(Link(rtt=0.04)) as (port, control), socket.create_connection(("127.0.0.1", port)) as client:
        assert min(round_trip(client) for _ in range(10)) >= 0.04 - EARLY
        assert bring(control, toxics(Link(rtt=0.1))) == ["delay_up", "delay_down"]
        assert bring(control, toxics(Link(rtt=0.1))) == []
        assert min(round_trip(client) for _ in range(5)) >= 0.1 - EARLY
        bring(control, toxics(Link()))
        # An open connection again: at least one round trip is faster than the delay that was.
        assert min(round_trip(client) for _ in range(10)) < 0.04


def test_connections_share_the_rate() -> None:
    # 1 Mbit/s is 125,000 bytes a second: two connections with 50,000 bytes each take at least 0.8 s each way.
    with running(Link(rate=1e6)) as (port, _):
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        began = time.monotonic()
        threads = [threading.Thread(target=round_trip, args=(client, b"x" * 50_000)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began >= 0.8 - EARLY
        for client in clients:
            client.close()


def test_nothing_is_lost_when_a_link_is_changed_in_the_middle() -> None:
    with running(Link(rtt=0.02, rate=2e6)) as (port, control), socket.create_connection(("127.0.0.1", port)) as client:
        took: list[float] = []
        thread = threading.Thread(target=lambda: took.append(round_trip(client, b"x" * 400_000)))
        thread.start()
        for rate in (1e6, 8e6, 4e6, 80e6):
            bring(control, toxics(Link(rtt=0.01, rate=rate)))
        thread.join(60)
        assert took
