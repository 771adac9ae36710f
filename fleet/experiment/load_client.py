"""The load client `fleet-loadgen` alongside the driver: an order on its stdin, JSON lines from it, ended with the
run."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fleet.errors import DeadlineError, MeasurementError, UsageError
from fleet.kube.kubeconfig_file import KubeconfigFile
from fleet.model.fleet_file import Cluster
from fleet.observe import priority

PROGRAM = "fleet-loadgen"
THREADS = 12
END_SECONDS = 5.0
"""How long it may take to end once its stdin has."""

Heard = Callable[[Mapping[str, Any]], None]


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads for what blocks. What they start is no driver and must not have the driver's priority."""
    with ThreadPoolExecutor(THREADS, "load-client", initializer=priority.give_up) as pool:
        yield pool


@dataclass(frozen=True)
class LoadClient:
    """Runs the program in threads of `pool`, which have given up the driver's priority: it competes with the servers
    as a client on this machine would."""

    program: Path
    pool: Executor

    async def run(
        self,
        command: str,
        order: Mapping[str, Any],
        *,
        log: Path,
        seconds: float,
        heard: Heard,
        started: Callable[[int], None],
    ) -> None:
        """Until it ends. `heard` gets every line, `started` its pid; all lines are kept in the new file `log`.

        MeasurementError with its last words when it fails, DeadlineError after `seconds`. It ends with the caller.
        """
        loop = asyncio.get_running_loop()
        process = await loop.run_in_executor(self.pool, self._start, command)
        started(process.pid)
        words = loop.run_in_executor(self.pool, _rest, process)
        try:
            async with asyncio.timeout(seconds):
                with log.open("xb") as file:
                    await loop.run_in_executor(self.pool, _send, process, order)
                    while line := await loop.run_in_executor(self.pool, _line, process):
                        file.write(line)
                        heard(cast("Mapping[str, Any]", json.loads(line)))
                code = await loop.run_in_executor(self.pool, process.wait)
        except TimeoutError as error:
            raise DeadlineError(f"{PROGRAM} {command} did not end within {seconds:.0f} s") from error
        finally:
            await asyncio.shield(loop.run_in_executor(self.pool, _end, process))
        if code != 0:
            raise MeasurementError(
                f"{PROGRAM} {command} failed ({code}): {(await words).decode(errors='replace').strip()}"
            )

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [str(self.program), command], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )


def credentials(cluster: Cluster, folder: Path) -> dict[str, str]:
    """The admin of that WEC, its certificates written into the private `folder`. UsageError when it has none."""
    file = KubeconfigFile(Path(cluster.kubeconfig))
    chosen = file.chosen(file.document(), cluster.context or None)
    found = {"name": cluster.name, "server": cluster.server}
    for name, entry, key in (
        ("ca", chosen.target, "certificate-authority-data"),
        ("cert", chosen.user, "client-certificate-data"),
        ("key", chosen.user, "client-key-data"),
    ):
        if not entry.get(key):
            raise UsageError(f"{cluster.kubeconfig} has no {key}: the load client needs a WEC that the fleet built")
        target = folder / name
        target.touch(0o600)
        target.write_bytes(base64.b64decode(str(entry[key])))
        found[name] = str(target)
    return found


def _send(process: subprocess.Popen[bytes], order: Mapping[str, Any]) -> None:
    """Its stdin stays open: the end of it ends the program."""
    if process.stdin is not None:
        with suppress(BrokenPipeError):  # it has ended, and its exit code says why
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()


def _line(process: subprocess.Popen[bytes]) -> bytes:
    return b"" if process.stdout is None else process.stdout.readline()


def _rest(process: subprocess.Popen[bytes]) -> bytes:
    """What it complains of, when it has ended."""
    if process.stderr is None:
        return b""
    with process.stderr:
        return process.stderr.read()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
