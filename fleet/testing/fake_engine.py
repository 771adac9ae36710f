"""A container engine that is only remembered: for tests of what the kind driver requests, without Docker."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from fleet.errors import HostError


@dataclass
class FakeEngine:
    """Stands in for `fleet.host.drivers.kind.engine.run`. `containers` maps a name to whether it runs.

    `on_start(port, container)` and `on_stop(container)` are called as a node's API server would come and go; `broken`
    holds names of clusters whose making fails half way.
    """

    on_start: Callable[[int, str], None]
    on_stop: Callable[[str], None]
    containers: dict[str, bool] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    loaded: dict[str, set[str]] = field(default_factory=dict)
    """Images inside the node of a cluster."""
    networks: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    def __call__(self, argv: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
        """One command."""
        del environment, seconds
        program, *arguments = argv
        words = [Path(program).name, *arguments]
        self.calls.append(" ".join(words[:3]))
        flags = dict(word.removeprefix("--").partition("=")[::2] for word in words if word.startswith("--"))
        if words[:3] == ["kind", "create", "cluster"]:
            return self._create(Path(flags["config"]))
        if words[:3] == ["kind", "load", "image-archive"]:
            self.loaded.setdefault(flags["name"], set()).add(_name_in(Path(words[3])))
            return ""
        if words[0] != "docker":
            raise HostError(f"{words[0]}: the fake has no such program")
        plain = [word for word in words[1:] if not word.startswith("-")]
        return self._docker(plain[0], plain[1:])

    def _create(self, config: Path) -> str:
        document = yaml.safe_load(config.read_text(encoding="utf-8"))
        cluster = document["name"]
        container = f"{cluster}-control-plane"
        if container in self.containers:
            raise HostError(f"node(s) already exist for a cluster with the name {cluster}")
        self.containers[container] = True
        self.loaded.pop(cluster, None)
        if cluster in self.broken:
            raise HostError("failed to init node with kubeadm")
        self.ports[container] = document["networking"]["apiServerPort"]
        self.on_start(self.ports[container], container)
        return ""

    def _docker(self, verb: str, words: Sequence[str]) -> str:
        name = words[-1] if words else ""
        if verb == "version":
            return "20.10.24"
        if verb in ("start", "stop"):
            self._switch(name, running=verb == "start")
        elif verb == "rm":
            if self.containers.pop(name, False):
                self.on_stop(name)
        elif verb == "load":
            self.images.add(Path(name).read_text(encoding="utf-8"))
        elif verb == "exec" and "images" in words:
            reference = words[-1].removeprefix("name==")
            here = self.loaded.get(words[0].removesuffix("-control-plane"), set())
            return reference if reference in here else ""
        elif verb == "ps":
            return "\n".join(self.containers)
        elif verb in ("container", "image", "network"):
            return self._object(verb, words)
        return ""

    def _switch(self, name: str, *, running: bool) -> None:
        if self.containers[name] != running:
            self.containers[name] = running
            if running:
                self.on_start(self.ports[name], name)
            else:
                self.on_stop(name)

    def _object(self, kind: str, words: Sequence[str]) -> str:
        verb, name = words[0], words[-1]
        known = {"container": set(self.containers), "image": self.images, "network": self.networks}[kind]
        if verb == "create":
            known.add(name)
            return ""
        if name not in known:
            raise HostError(f"Error: No such {kind}: {name}")
        if verb == "rm":
            known.discard(name)
            return ""
        if words[1:2] == ["{{.State.Running}}"]:
            return "true" if self.containers[name] else "false"
        return "0" * 64


def _name_in(archive: Path) -> str:
    """Of an image archive."""
    with tarfile.open(archive) as tar:
        stream = tar.extractfile("manifest.json")
        if stream is None:
            raise HostError(f"{archive} has no manifest")
        return str(json.load(stream)[0]["RepoTags"][0])
