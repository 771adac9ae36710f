"""Commands on another machine over SSH: known host keys only, argument lists, time-outs always."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Protocol, Self

from fleet.errors import DeadlineError, HostError
from fleet.model.fleet_file import Machine

CONNECT_SECONDS = 10.0
RUN_SECONDS = 30.0
ALIVE_SECONDS, LOST_SECONDS = 5.0, 15.0
"""Something is sent that often; a machine that confirms nothing for so long is lost, and the connection ends."""
CHUNK = 65_536


class Shell(Protocol):
    """One machine, connected."""

    def run(self, argv: Sequence[str], *, seconds: float = RUN_SECONDS, stdin: bytes = b"") -> str:
        """Run to the end; what it wrote. HostError names the machine and what it said when it fails.

        `seconds` bound each wait for more of its output.
        """
        ...

    def follow(
        self, argv: Sequence[str], take: Callable[[bytes], None], complain: Callable[[bytes], None] | None = None
    ) -> int:
        """Run until it ends or the caller is interrupted, handing on what it writes; its exit code.

        Without `complain` it gets a terminal of its own, which carries both its outputs and ends it with us.
        """
        ...

    def ask(self, argv: Sequence[str], lines: Sequence[bytes], turn: Callable[[bytes], None]) -> None:
        """Start a program, send one line at a time, and hand each line that comes back to `turn` before the next."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class FabricShell:
    """Over fabric. Use as `with`."""

    def __init__(self, machine: Machine) -> None:
        """Nothing is connected before the first command. HostError for a key file that others can read."""
        import paramiko  # noqa: PLC0415 - heavy
        from fabric import Config, Connection  # noqa: PLC0415 - heavy

        self.name = machine.name
        self._machine = machine
        if machine.key_file:
            _check_key(machine)
        options: dict[str, Any] = {"look_for_keys": not machine.key_file, "allow_agent": not machine.key_file}
        if machine.key_file:
            options["key_filename"] = machine.key_file
        options |= {"banner_timeout": CONNECT_SECONDS, "auth_timeout": CONNECT_SECONDS}
        self._connection: Any = Connection(
            machine.address,
            user=machine.user or None,
            port=machine.port,
            connect_timeout=int(CONNECT_SECONDS),
            connect_kwargs=options,
            config=Config(overrides={"load_ssh_configs": False}),
        )
        # fabric itself would trust whoever answers.
        self._connection.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        known = machine.known_hosts or str(Path.home() / ".ssh" / "known_hosts")
        if Path(known).is_file():
            self._connection.client.load_host_keys(known)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the connection."""
        self.close()

    def run(self, argv: Sequence[str], *, seconds: float = RUN_SECONDS, stdin: bytes = b"") -> str:
        """As in Shell."""
        with self._reaching(argv, seconds):
            given, stdout, stderr = self._start(argv, seconds)
            complaint = _Complaint(stderr.channel)
            given.write(stdin)
            given.channel.shutdown_write()
            text = bytes(stdout.read())
            complaint.end(seconds)
            code = _exit_code(stdout.channel, seconds)
        if code:
            raise HostError(f"machine {self.name}: `{' '.join(argv[:4])}` ended with {code}: {complaint.last()}")
        return text.decode(errors="replace")

    def follow(
        self, argv: Sequence[str], take: Callable[[bytes], None], complain: Callable[[bytes], None] | None = None
    ) -> int:
        """As in Shell."""
        with self._reaching(argv, RUN_SECONDS):
            channel = self._start(argv, None, terminal=complain is None)[1].channel
        beside = Thread(target=_pump, args=(channel.recv_stderr, complain), daemon=True) if complain else None
        if beside:
            beside.start()
        _pump(channel.recv, take)
        if beside:
            beside.join()
        with self._reaching(argv, RUN_SECONDS):
            return _exit_code(channel, RUN_SECONDS)

    def ask(self, argv: Sequence[str], lines: Sequence[bytes], turn: Callable[[bytes], None]) -> None:
        """As in Shell."""
        with self._reaching(argv, RUN_SECONDS):
            stdin, stdout, stderr = self._start(argv, RUN_SECONDS)
            complaint = _Complaint(stderr.channel)
            try:
                for line in lines:
                    answer = _turn(stdin, stdout, line)
                    if not answer:
                        complaint.end(RUN_SECONDS)
                        raise HostError(f"machine {self.name}: `{' '.join(argv[:4])}` ended: {complaint.last()}")
                    turn(answer)
            finally:
                stdin.close()

    def speak(self, argv: Sequence[str]) -> Any:
        """Start a program that goes on; its channel, for reading and writing. Its stderr is not kept."""
        with self._reaching(argv, CONNECT_SECONDS):
            self._open()
            # Not by exec_command: the file that it gives for stdin ends stdin when it is collected.
            channel = self._connection.transport.open_session(timeout=CONNECT_SECONDS)
            channel.exec_command(shlex.join(argv))
        _Complaint(channel)
        return channel

    def close(self) -> None:
        """As in Shell."""
        self._connection.close()

    @contextmanager
    def _reaching(self, argv: Sequence[str], seconds: float) -> Iterator[None]:
        """Errors of the connection, as errors of ours that name the machine."""
        import paramiko  # noqa: PLC0415 - heavy

        try:
            yield
        except TimeoutError as error:
            raise DeadlineError(f"machine {self.name}: `{argv[0]}` did not answer within {seconds:.0f} s") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise HostError(f"machine {self.name}: the connection ended: {error}") from error

    def _start(self, argv: Sequence[str], seconds: float | None, *, terminal: bool = False) -> tuple[Any, Any, Any]:
        self._open()
        command = " ".join(shlex.quote(word) for word in argv)
        found: tuple[Any, Any, Any] = self._connection.client.exec_command(command, timeout=seconds, get_pty=terminal)
        return found

    def _open(self) -> None:
        import paramiko  # noqa: PLC0415 - heavy

        machine = self._machine
        place = f"machine {self.name} ({machine.user or 'you'}@{machine.address}:{machine.port})"
        try:
            self._connection.open()
        except paramiko.BadHostKeyException as error:
            raise HostError(
                f"{place} shows another host key than {machine.known_hosts or 'known_hosts'} has: if it was rebuilt,"
                " write its new key there; else somebody is in between"
            ) from error
        except paramiko.AuthenticationException as error:
            raise HostError(f"{place} does not let us in: {error}") from error
        except (OSError, socket.gaierror, EOFError, paramiko.SSHException) as error:
            raise HostError(f"{place} is not reached: {error}") from error
        transport = self._connection.transport
        transport.set_keepalive(int(ALIVE_SECONDS))
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(LOST_SECONDS * 1000))


class _Complaint:
    """Reads a program's stderr alongside its stdout, as long as it lasts: unread, 2 MiB of it would stop the
    program."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._end = b""
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def end(self, seconds: float) -> None:
        """Wait until it has ended; TimeoutError."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError

    def last(self) -> str:
        """Its last line."""
        lines = self._end.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _read(self) -> None:
        while True:
            try:
                block = self._channel.recv_stderr(CHUNK)
            except TimeoutError:  # its stdout is waited for, not this
                continue
            if not block:
                return
            self._end = (self._end + block)[-CHUNK:]


def _turn(stdin: Any, stdout: Any, line: bytes) -> bytes:
    """Send a line, and get the one that comes back; empty when the program ended. TimeoutError when none comes."""
    try:
        stdin.write(line + b"\n")
        stdin.flush()
        answer = stdout.readline()
    except TimeoutError:
        raise
    except OSError:  # its end of the pipe is closed: what it wrote to stderr says why
        return b""
    return answer.encode() if isinstance(answer, str) else bytes(answer)


def _exit_code(channel: Any, seconds: float) -> int:
    """TimeoutError when none comes, EOFError when the connection ended before."""
    if not channel.status_event.wait(seconds):
        raise TimeoutError
    code = int(channel.recv_exit_status())
    if code == -1:
        raise EOFError("no exit code came")
    return code


def _pump(read: Callable[[int], bytes], take: Callable[[bytes], None]) -> None:
    while block := read(CHUNK):
        take(block)


def _check_key(machine: Machine) -> None:
    try:
        mode = Path(machine.key_file).stat().st_mode
    except OSError as error:
        raise HostError(f"machine {machine.name}: {machine.key_file}: {error.strerror}") from error
    if mode & 0o077:
        raise HostError(f"machine {machine.name}: {machine.key_file} can be read by others: chmod 600 it")


class FakeShell:
    """Answers from what it was given: the words of a command to its output, or an error to raise."""

    def __init__(self, answers: Mapping[str, str | Exception]) -> None:
        self.answers = dict(answers)
        self.ran: list[tuple[str, ...]] = []
        self.said: list[bytes] = []
        """What each command was given on its stdin."""

    def run(self, argv: Sequence[str], *, seconds: float = RUN_SECONDS, stdin: bytes = b"") -> str:
        """The answer of the first entry whose key is one of the words."""
        self.ran.append(tuple(argv))
        self.said.append(stdin)
        found = next((answer for key, answer in self.answers.items() if key in argv), None)
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise HostError(f"`{' '.join(argv)}` ended with 127 after {seconds:.0f} s")
        return found

    def follow(
        self,
        argv: Sequence[str],
        take: Callable[[bytes], None],
        complain: Callable[[bytes], None] | None = None,  # noqa: ARG002 - it never complains
    ) -> int:
        """The whole answer at once."""
        take(self.run(argv).encode())
        return 0

    def ask(self, argv: Sequence[str], lines: Sequence[bytes], turn: Callable[[bytes], None]) -> None:
        """One line of the answer for each line that is sent."""
        for _, answer in zip(lines, self.run(argv).splitlines(), strict=False):
            turn(answer.encode())

    def close(self) -> None:
        """Nothing to end."""
