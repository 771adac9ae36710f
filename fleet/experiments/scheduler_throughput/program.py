"""One scheduler as a process alongside the WEC: its program, identity, configuration and pages."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.errors import UsageError
from fleet.experiments import own_binary
from fleet.experiments.scheduler_throughput.spec import Scheduler
from fleet.host.components import Trust, debug_listener
from fleet.host.files import write_private
from fleet.host.kubeconfig import write_kubeconfig
from fleet.host.layout import Layout
from fleet.host.pki import FleetPki, Subject
from fleet.host.plan import Certificate
from fleet.host.ports import Registry
from fleet.model.fleet_file import ClientTls, Cluster, Component, FleetFile
from fleet.observe.tethered import Tethered, tethered

PROGRAM = "kube-scheduler"
USER = "system:kube-scheduler"
CONTAINERS = (PROGRAM, "dense")
"""Components of a WEC whose folder of programs has kube-scheduler."""
OWNER = "experiment.scheduler-throughput"
"""Of the port, in the registry."""
LOG_LINES = 5
CHECK_SECONDS = 30.0
_NOWHERE = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:1"}}],
    "contexts": [{"name": "none", "context": {"cluster": "none"}}],
    "current-context": "none",
}
"""A kubeconfig that leads nowhere."""


@dataclass(frozen=True)
class Place:
    """Where schedulers of one run live: a folder that only this user reads, and the WEC that they work for."""

    fleet: FleetFile
    wec: Cluster
    folder: Path

    @property
    def layout(self) -> Layout:
        """The folder of the fleet on this machine."""
        return Layout(Path(self.fleet.machine(self.wec.machine).state_dir))

    @property
    def registry(self) -> Registry:
        """Of the ports of this machine."""
        return Registry(self.layout.root.parent)


@dataclass(frozen=True)
class Running:
    """A scheduler that runs."""

    tethered: Tethered
    component: Component
    """As the fleet file would have it, with its pages; those are empty of a program that is not known to have them."""
    log: Path

    def last_words(self) -> str:
        """The end of its log, in one line."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return " / ".join(line.strip() for line in lines[-LOG_LINES:] if line.strip()) or "it said nothing"


def built(fleet: FleetFile, wec: str) -> Path:
    """The fleet's own kube-scheduler. UsageError where this machine has none."""
    for component in fleet.components:
        if component.component in CONTAINERS and component.cluster in (wec, "") and component.argv:
            found = Path(component.argv[0]).with_name(PROGRAM)
            if found.exists():
                return found
    raise UsageError(f"the fleet {fleet.name} has no {PROGRAM} on this machine: fleet up -e wec_count=1 makes one")


def check_binary(scheduler: Scheduler) -> None:
    """UsageError unless the file of the user's is there, can be run, and is the one that was meant."""
    if why := own_binary.wrong(scheduler.binary, scheduler.sha256, f"schedulers: {scheduler.name}: "):
        raise UsageError(why)


def check_configuration(fleet: FleetFile, wec: str, scheduler: Scheduler) -> None:
    """UsageError unless the program takes its configuration: it is asked to write it back, and ends."""
    with tempfile.TemporaryDirectory(prefix="fleet-scheduler-") as folder:
        kubeconfig, config = Path(folder) / "kubeconfig", Path(folder) / "config.json"
        kubeconfig.write_text(json.dumps(_NOWHERE), encoding="utf-8")
        config.write_text(json.dumps(configuration(scheduler, kubeconfig)), encoding="utf-8")
        program = scheduler.binary or str(built(fleet, wec))
        argv = [program, f"--config={config}", "--secure-port=0", f"--write-config-to={folder}/written"]
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
                timeout=CHECK_SECONDS,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UsageError(
                f"schedulers: {scheduler.name}: {program} takes no `--write-config-to`: {error}"
            ) from error
    if done.returncode != 0:
        said = next((line.strip() for line in reversed(done.stderr.splitlines()) if line.strip()), "it said nothing")
        raise UsageError(
            f"schedulers: {scheduler.name}: its program refuses profile or configuration ({said}); one that takes no"
            " KubeSchedulerConfiguration needs `arguments`"
        )


@asynccontextmanager
async def running(place: Place, scheduler: Scheduler, log: Path) -> AsyncIterator[Running]:
    """The scheduler, inside the block. Its program was checked when the trials were planned, and is again."""
    if scheduler.binary:
        await asyncio.to_thread(check_binary, scheduler)
    program = Path(scheduler.binary) if scheduler.binary else built(place.fleet, place.wec.name)
    block = place.registry.take(place.fleet.name, OWNER, 1, in_use=False)
    try:
        argv, component = _prepared(place, scheduler, program, block.start)
        async with tethered(argv, log) as held:
            yield Running(held, component, log)
    finally:
        place.registry.give_back(place.fleet.name, OWNER)


def configuration(scheduler: Scheduler, kubeconfig: Path) -> Mapping[str, Any]:
    """Its KubeSchedulerConfiguration: one profile, no election, its client's limits."""
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig), "qps": scheduler.qps, "burst": scheduler.burst},
        "leaderElection": {"leaderElect": False},
        "profiles": [{"schedulerName": scheduler.pods_name, **scheduler.profile}],
        **scheduler.configuration,
    }


def _prepared(place: Place, scheduler: Scheduler, program: Path, port: int) -> tuple[list[str], Component]:
    """Writes its files; its command line, and what it is to those who measure it."""
    pki = FleetPki.load(place.layout.pki)
    if pki is None:
        raise UsageError(f"the fleet {place.fleet.name} has no authorities on this machine: fleet up makes them")
    folder = place.folder / scheduler.name
    own = pki.ca.issue(folder, "client", Subject(USER, tuple(scheduler.groups)))
    kubeconfig, ca = folder / "kubeconfig", place.layout.pki / "ca.crt"
    write_kubeconfig(kubeconfig, place.wec.server, ca, own.cert, own.key, scheduler.name)
    component = Component(
        program=f"{scheduler.component}.{place.wec.name}",
        component=scheduler.component,
        machine=place.wec.machine,
        cluster=place.wec.name,
    )
    if not scheduler.configured:
        values = {"kubeconfig": str(kubeconfig), "scheduler_name": scheduler.pods_name, "qps": f"{scheduler.qps:g}",
                  "burst": str(scheduler.burst)}  # fmt: skip
        return [str(program), *(_filled(word, values) for word in scheduler.arguments)], component
    serving = Certificate(folder, "serving", "ca", Subject(PROGRAM, (), ("127.0.0.1",), client=False))
    pki.ca.issue(serving.directory, serving.name, serving.subject)
    config = folder / "config.json"
    write_private(config, json.dumps(configuration(scheduler, kubeconfig)).encode())
    trust = Trust.of(place.layout.pki, hub_signs=False)
    admin = place.layout.cluster(place.wec.name) / "pki"
    tls = ClientTls(ca=str(ca), cert=str(admin / "admin.crt"), key=str(admin / "admin.key"))
    base = f"https://127.0.0.1:{port}"
    pages = {"metrics": f"{base}/metrics", "pprof": f"{base}/debug/pprof", "tls": tls}
    argv = [str(program), f"--config={config}", *debug_listener(port, serving, trust, kubeconfig)]
    return argv, component.model_copy(update=pages)


def _filled(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word
