"""The container engine that carries kind clusters, as its command line sees it, and the record of which one it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from fleet.errors import DeadlineError, HostError
from fleet.host.files import private_directory, write_private
from fleet.host.layout import Layout
from fleet.host.plan import render_json

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where Debian has docker, dockerd and runc; an ordinary PATH may lack the sbin folders."""
SYSTEM_SOCKET = Path("/var/run/docker.sock")
COMMAND_SECONDS = 120.0
TAIL = 1500
"""Characters of a program's own words that an error repeats."""
MISSING = re.compile(r"no such (container|image|network|object)|not found", re.IGNORECASE)


class Run(Protocol):
    """Runs a program to its end and gives what it printed; `fleet.testing.fake_engine` has a fake."""

    def __call__(self, argv: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
        """HostError with the program's words when it fails, DeadlineError when it takes longer."""
        ...


def run(argv: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
    """The real one."""
    try:
        done = subprocess.run(argv, env=dict(environment), capture_output=True, text=True, timeout=seconds, check=False)
    except OSError as error:
        raise HostError(f"{argv[0]} cannot be run: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise DeadlineError(f"{' '.join(argv[:3])} took more than {seconds:.0f} s") from error
    if done.returncode != 0:
        raise HostError(f"{' '.join(argv[:3])} failed: {(done.stderr.strip() or done.stdout.strip())[-TAIL:]}")
    return done.stdout


@dataclass(frozen=True)
class Record:
    """Which engine carries this fleet, and how the host was before; in `engine/engine.json`."""

    socket: str
    own: bool
    """Whether it is a dockerd of the fleet's own."""
    network: str
    bridge: str
    """The network's interface on the host."""
    image: str = ""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """Values of the host before; kubelets of privileged containers set them for the whole machine."""
    absent: Sequence[str] = ()
    """Paths outside the fleet's folder that were not there before, and that the engine makes."""


def read_record(layout: Layout) -> Record | None:
    """None when this fleet has no engine."""
    file = layout.engine / "engine.json"
    try:
        return Record(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise HostError(
            f"{file} is damaged ({error}): take the fleet down by hand: docker ps, then remove it"
        ) from error


def write_record(layout: Layout, record: Record) -> None:
    """Before anything that it names is done."""
    private_directory(layout.root)
    private_directory(layout.engine)
    write_private(layout.engine / "engine.json", render_json(asdict(record)).encode())


class Engine:
    """A Docker daemon behind a socket; `layout` is the fleet that asks."""

    def __init__(self, layout: Layout, record: Record, runner: Run) -> None:
        self.layout = layout
        self.record = record
        self._run = runner

    @property
    def environment(self) -> dict[str, str]:
        """Of the command line and of kind: this engine and this fleet's network, nothing of the caller's own."""
        return {
            "PATH": SYSTEM_PATH,
            "HOME": str(self.layout.engine),
            "DOCKER_HOST": f"unix://{self.record.socket}",
            "DOCKER_CONFIG": str(self.layout.engine / "client"),
            "KIND_EXPERIMENTAL_DOCKER_NETWORK": self.record.network,
        }

    def docker(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> str:
        """One call of `docker`; what it printed."""
        return self._run(["docker", *arguments], self.environment, seconds)

    def program(self, argv: Sequence[str], *, seconds: float) -> str:
        """Another program that talks to this engine."""
        return self._run(argv, self.environment, seconds)

    def answers(self) -> bool:
        """Whether the daemon is there."""
        try:
            self.docker("version", "--format", "{{.Server.Version}}", seconds=10.0)
        except (HostError, DeadlineError):
            return False
        return True

    def inspect(self, kind: str, name: str, template: str) -> str | None:
        """One field of a container, image or network; None when there is none of that name."""
        try:
            return self.docker(kind, "inspect", "--format", template, name).strip()
        except HostError as error:
            if MISSING.search(str(error)):
                return None
            raise

    def ensure_image(self, reference: str, archive: Path | None) -> bool:
        """Load or pull the image if it is not there; True when it was not."""
        if self.inspect("image", reference, "{{.Id}}") is not None:
            return False
        if archive is None:
            self.docker("pull", "--quiet", reference, seconds=900.0)
        else:
            self.docker("load", "--quiet", "--input", str(archive), seconds=600.0)
        return True

    def ensure_network(self) -> bool:
        """The network of this fleet's nodes; True when it was made."""
        if self.inspect("network", self.record.network, "{{.Id}}") is not None:
            return False
        bridge = f"--opt=com.docker.network.bridge.name={self.record.bridge}"
        self.docker("network", "create", "--driver=bridge", bridge, self.record.network)
        return True

    def containers(self) -> list[str]:
        """Names of the containers in this fleet's network, running or not."""
        names = self.docker("ps", "--all", "--filter", f"network={self.record.network}", "--format", "{{.Names}}")
        return sorted(names.split())

    def remove(self, containers: Sequence[str]) -> None:
        """Containers with their volumes; what is absent is fine."""
        for name in containers:
            if self.inspect("container", name, "{{.Id}}") is not None:
                self.docker("rm", "--force", "--volumes", name)


def system_engine(runner: Run) -> str:
    """The socket of an engine that somebody else started here and that answers; empty when there is none."""
    given = os.environ.get("DOCKER_HOST", "").removeprefix("unix://")
    for socket in (given, str(SYSTEM_SOCKET)):
        if not socket.startswith("/") or not Path(socket).exists():
            continue
        environment = {"PATH": SYSTEM_PATH, "DOCKER_HOST": f"unix://{socket}"}
        try:
            runner(["docker", "version", "--format", "{{.Server.Version}}"], environment, 10.0)
        except (HostError, DeadlineError):
            continue
        return socket
    return ""


def missing_programs() -> list[str]:
    """What an engine of our own needs and this machine lacks."""
    return [name for name in ("docker", "dockerd", "containerd", "runc") if not shutil.which(name, path=SYSTEM_PATH)]
