"""Where everything of one fleet lies on one machine (docs/architecture.md, "One machine's folder")."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths below `root`, the machine's folder of one fleet: `<state>/<fleet>`."""

    root: Path

    @property
    def pki(self) -> Path:
        """The fleet's authorities and service account keys."""
        return self.root / "pki"

    @property
    def clusters(self) -> Path:
        """One folder per control plane."""
        return self.root / "clusters"

    @property
    def dense(self) -> Path:
        """One folder per shard of the dense driver."""
        return self.root / "dense"

    @property
    def run(self) -> Path:
        """Unix sockets and locks."""
        return self.root / "run"

    @property
    def log(self) -> Path:
        """One rotated log per program."""
        return self.root / "log"

    @property
    def supervisor(self) -> Path:
        """Configuration of the machine's supervisor."""
        return self.root / "supervisor"

    @property
    def engine(self) -> Path:
        """The container engine of the kind driver: which it is, and the data of one of our own."""
        return self.root / "engine"

    def etcd_socket(self, store: str) -> Path:
        """Where the API servers of WECs reach their etcd."""
        return self.run / f"etcd.{store}.sock"

    def cluster(self, name: str) -> Path:
        """The folder of one control plane."""
        return self.clusters / name

    def kubeconfig(self, name: str) -> Path:
        """The admin kubeconfig of one control plane."""
        return self.cluster(name) / "kubeconfig"

    def program_log(self, program: str) -> Path:
        """The log of one program."""
        return self.log / f"{program}.log"

    def shard(self, number: int) -> Path:
        """The folder of one dense shard."""
        return self.dense / str(number)
