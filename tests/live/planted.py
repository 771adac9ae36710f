"""What the live tests plant into a fleet for the analysis to find: a program that leaks, two managers that fight."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from fleet.host.files import private_directory, write_private
from fleet.host.pages import PPROF
from fleet.host.supervise import Supervisor
from fleet.host.supervisor_config import Program
from fleet.kube.resources import APPLIED_MANIFEST_WORKS, DEPLOYMENTS, MANIFEST_WORKS, PODS, WORK_STATUSES, Resource
from fleet.model import fleet_load
from fleet.model.fleet_file import Cluster, Component, FleetFile
from fleet.model.run_names import RUN_LABEL
from tests.live.lab import Lab

SOURCE = Path(__file__).with_name("leaky") / "main.go"
GROUP = "planted"
KEPT = 1024
"""Bytes of each object that the leaking one keeps."""
MANAGERS = ("alpha-controller", "beta-controller")
BUILD_SECONDS = 300


@contextmanager
def leaks(lab: Lab) -> Iterator[tuple[str, str]]:
    """Two programs of the fleet that watch the same objects, one that keeps of each and one that does not: their names.

    They run under the fleet's supervisor and stand in its file, as any component, until the block ends.
    """
    file = lab.folder / fleet_load.FILE
    before = file.read_bytes()
    fleet = fleet_load.load(file)
    folder = lab.folder / GROUP
    private_directory(folder)
    binary = _built(folder)
    config = write_sources(fleet, folder)
    names = ("leaky.kept", "leaky.dropped")
    ports = [_free_port() for _ in names]
    argvs = [
        (str(binary), f"-config={config}", f"-listen=127.0.0.1:{port}", f"-keep={keep}")
        for port, keep in zip(ports, (KEPT, 0), strict=True)
    ]
    supervisor = Supervisor(lab.folder)
    supervisor.converge(GROUP, [Program(name, argv) for name, argv in zip(names, argvs, strict=True)])
    doors = [f"http://127.0.0.1:{port}" for port in ports]
    programs = [
        Component(
            program=name, component="leaky", machine=fleet.machines[0].name, metrics=f"{door}/metrics",
            pprof=f"{door}{PPROF}",
        )
        for name, door in zip(names, doors, strict=True)
    ]  # fmt: skip
    try:
        changed = fleet.model_copy(update={"components": [*fleet.components, *programs]})
        write_private(file, changed.model_dump_json().encode())
        yield names
    finally:
        write_private(file, before)
        supervisor.converge(GROUP, [])
        shutil.rmtree(folder)


def write_sources(fleet: FleetFile, folder: Path) -> Path:
    """What both watch: the pods and works of every WEC, and what the hub has for each. The path of the list."""
    watched: list[tuple[Cluster, tuple[Resource, ...]]] = [
        *((cluster, (MANIFEST_WORKS, WORK_STATUSES)) for cluster in fleet.of_role("its")),
        *((cluster, (PODS,)) for cluster in fleet.of_role("wds")),
        *((cluster, (PODS, APPLIED_MANIFEST_WORKS)) for cluster in fleet.of_role("wec")),
    ]
    sources = []
    for cluster, kinds in watched:
        document: Any = yaml.safe_load(Path(cluster.kubeconfig).read_text(encoding="utf-8"))
        user, server = document["users"][0]["user"], document["clusters"][0]["cluster"]
        files = {
            "CA": server["certificate-authority-data"],
            "Cert": user["client-certificate-data"],
            "Key": user["client-key-data"],
        }
        paths = {name: folder / f"{cluster.name}.{name}" for name in files}
        for name, data in files.items():
            write_private(paths[name], base64.b64decode(data))
        trust = {name: str(path) for name, path in paths.items()}
        sources += [{"URL": f"{cluster.server}{kind.path()}", **trust} for kind in kinds]
    config = folder / "sources.json"
    write_private(config, json.dumps(sources).encode())
    return config


def _built(folder: Path) -> Path:
    go = shutil.which("go")
    assert go is not None
    shutil.copy(SOURCE, folder / "main.go")
    (folder / "go.mod").write_text("module leaky\n\ngo 1.22\n", encoding="utf-8")
    subprocess.run([go, "build", "-o", "leaky", "."], cwd=folder, check=True, timeout=BUILD_SECONDS)
    return folder / "leaky"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


async def fight(lab: Lab, cluster: str, *, rounds: int, pause: float) -> str:
    """Two managers write one annotation of one Deployment of the run in turn; its name. It must be there already."""
    async with lab.client(cluster) as client:
        found = await client.list_all(DEPLOYMENTS, label_selector=RUN_LABEL)
        meta = found[0]["metadata"]
        for number in range(rounds):
            for manager in MANAGERS:
                change = {"metadata": {"annotations": {"example.org/owner": f"{manager} {number}"}}}
                await client.patch(DEPLOYMENTS, meta["name"], change, meta["namespace"], field_manager=manager)
                await asyncio.sleep(pause)
    return str(meta["name"])
