"""What is behind every kind of control plane that is measured: launched clean, created, listed, taken down."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fleet.experiments.density.file import DensityFile
from fleet.host.pages import Pages
from fleet.kube.endpoint import Endpoint
from fleet.toolchain import Toolchain

NO_PAGES = Pages()


@dataclass(frozen=True)
class Access:
    """How a client reaches one control plane as its administrator: by a certificate, or by a token in a file."""

    name: str
    server: str
    """https://host:port, with the path of a virtual control plane where it has one."""
    ca: Path
    cert: Path | None = None
    key: Path | None = None
    token_file: Path | None = None

    def order(self) -> dict[str, str]:
        """As the load client reads it."""
        files = {"ca": self.ca, "cert": self.cert, "key": self.key, "token_file": self.token_file}
        given = {name: str(path) for name, path in files.items() if path is not None}
        return {"name": self.name, "server": self.server, **given}

    def endpoint(self) -> Endpoint:
        """For `fleet.kube`."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if self.cert is not None and self.key is not None:
            context.load_cert_chain(self.cert, self.key)
        token = None if self.token_file is None else self.token_file.read_text(encoding="utf-8").strip()
        return Endpoint(self.name, self.server, context, token)


@dataclass(frozen=True)
class Running:
    """One program that runs."""

    program: str
    """Its name, alike in every sequence, as `dense.0`, `kube-apiserver.wec001`."""
    component: str
    """Programs of one kind, as `etcd`, `kube-apiserver`."""
    pid: int
    pages: Pages = NO_PAGES
    """Where its metrics and profiles are; empty where it has none."""


@dataclass(frozen=True)
class Ground:
    """Where control planes are launched: a folder alongside the fleets, so that they share the port registry."""

    root: Path
    spec: DensityFile
    toolchain: Toolchain


class Target(Protocol):
    """One kind. Methods block; they run in threads that have given up the driver's priority."""

    @property
    def name(self) -> str:
        """As a file writes it."""
        ...

    @property
    def main(self) -> str:
        """The component that serves: its profiles have kplane's own file names."""
        ...

    @property
    def differs(self) -> str:
        """In what its control planes are not as upstream makes them, as a part of a sentence; empty: in nothing."""
        ...

    def refuse(self, most: int) -> list[str]:
        """Why so many cannot be launched here, each a sentence with its numbers; nothing is started."""
        ...

    def launch(self, count: int) -> None:
        """From nothing: what a killed run left is ended, then everything that runs before the first of `count` control
        planes does."""
        ...

    def create(self, count: int) -> list[Access]:
        """Make so many, started and answering (of kplane: to be made by their first request)."""
        ...

    def running(self) -> list[Running]:
        """Every program of it that runs now."""
        ...

    def down(self) -> None:
        """End and remove everything; what is absent is fine."""
        ...


def names(count: int) -> list[str]:
    """Of so many control planes."""
    return [f"wec{number:03}" for number in range(1, count + 1)]
