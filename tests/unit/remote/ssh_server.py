"""An SSH server on loopback that runs what it is sent with /bin/sh, for tests of the client side."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from fleet.model.fleet_file import Machine


class _Session(paramiko.ServerInterface):
    def __init__(self, *, open_channels: bool) -> None:
        self._open_channels = open_channels

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "publickey"

    def check_auth_publickey(self, username: str, key: Any) -> int:  # noqa: ARG002
        return int(paramiko.AUTH_SUCCESSFUL)

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        refused = paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        return int(paramiko.OPEN_SUCCEEDED if self._open_channels else refused)

    def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:
        threading.Thread(target=_run, args=(channel, command), daemon=True).start()
        return True


def _run(channel: Any, command: bytes) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(["/bin/sh", "-c", command], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        pumps = [
            threading.Thread(target=_pump, args=(process.stdout.read, channel.sendall), daemon=True),
            threading.Thread(target=_pump, args=(process.stderr.read, channel.sendall_stderr), daemon=True),
        ]
        giving = threading.Thread(target=_give, args=(channel, process.stdin), daemon=True)
        for thread in (*pumps, giving):
            thread.start()
        for thread in pumps:
            thread.join()
        code = process.wait()
    with contextlib.suppress(OSError, EOFError):
        channel.send_exit_status(code)
        channel.close()


def _pump(read: Any, send: Any) -> None:
    with contextlib.suppress(OSError, EOFError):
        while block := read(32_768):
            send(block)


def _give(channel: Any, stdin: Any) -> None:
    with contextlib.suppress(OSError, EOFError, ValueError):
        while block := channel.recv(32_768):
            stdin.write(block)
        stdin.close()


def _key(path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    path.chmod(0o600)


@contextlib.contextmanager
def ssh_server(folder: Path, *, open_channels: bool = True) -> Iterator[Machine]:
    """The machine to connect to; without `open_channels` it lets one in and then refuses every command."""
    _key(folder / "host")
    _key(folder / "user")
    host = paramiko.Ed25519Key.from_private_key_file(str(folder / "host"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host.get_name()} {host.get_base64()}\n")
        transports: list[Any] = []

        def accept() -> None:
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                while True:
                    transport = paramiko.Transport(listening.accept()[0])
                    transports.append(transport)
                    transport.add_server_key(host)
                    transport.start_server(server=_Session(open_channels=open_channels))

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield Machine(
                name="m2",
                connection="ssh",
                address="127.0.0.1",
                port=port,
                user="someone",
                key_file=str(folder / "user"),
                known_hosts=str(folder / "known_hosts"),
                state_dir="/x",
            )
        finally:
            for transport in transports:
                transport.close()
            listening.shutdown(socket.SHUT_RDWR)
