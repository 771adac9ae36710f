"""ui-load: its trials, what it refuses, and its run around the trials."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.errors import KubeError, UsageError
from fleet.experiment.cleanup import CleanReport
from fleet.experiment.definition import Needs
from fleet.experiment.own import OwnExperiment, PlannedTrial
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.session import Session
from fleet.experiment.wec_nodes import node_names
from fleet.experiment.wec_scrape import scraping
from fleet.experiments.room import PODS_OF_NODE, check_memory
from fleet.experiments.ui_load import backend, client, marks, series
from fleet.experiments.ui_load.grown import Grown
from fleet.experiments.ui_load.spec import Page, Runtime, UiLoad
from fleet.experiments.ui_load.trial import Trials
from fleet.host.files import private_directory
from fleet.host.weight import MIB
from fleet.kube.resources import NODES
from fleet.managers.manager import Manager
from fleet.model.checkout import checkout
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import trial_id
from fleet.observe.wec_pages import wec_pages
from fleet.toolchain import locate

NEED = "experiment:ui-load"
MEMORY_PER_POD = 0.17 * MIB
"""What API server, etcd, controllers and the simulator hold more for each with its Deployment (0.12, resident, measured
over 7,900 in one WEC), and a browser that shows it (0.05, between 1,000 and 10,000)."""


@dataclass(frozen=True)
class UiTrial(PlannedTrial):
    """One page in one client over so many objects."""

    objects: int = 0
    page: Page = "pods"
    client: Runtime = "node"


def built() -> Mapping[Runtime, Path]:
    """The bundles of the frontend; ToolchainMissing when they are not built."""
    toolchain = locate(checkout() / "toolchain", None, {NEED})
    return {"node": toolchain.program(client.NODE_PROGRAM), "chromium": toolchain.program(client.PAGE_PROGRAM)}


class UiLoadExperiment(OwnExperiment[UiLoad]):
    """The body."""

    name = "ui-load"
    file = UiLoad
    own_stages = marks.STAGES

    def __init__(self, programs: Callable[[], Mapping[Runtime, Path]] = built) -> None:
        self._programs = programs

    def plan(self, spec: UiLoad, fleet: FleetFile, manager: Manager) -> Sequence[UiTrial]:  # noqa: ARG002
        """Numbers of objects ascending; of each the pages, each in every client, round after round."""
        _local(fleet)
        _fits(spec, fleet)
        if spec.binary:
            backend.check_binary(spec)
        for runtime in spec.clients:
            {"node": client.node, "chromium": client.browser}[runtime]()
        wecs = tuple(wec.name for wec in fleet.wecs())
        rounds = [-1] * spec.warmup + list(range(spec.repeats))
        turns = [
            (objects, repeat, page, runtime)
            for objects in spec.objects
            for repeat in rounds
            for page in spec.pages
            for runtime in spec.clients
        ]
        return [
            UiTrial(
                trial_id(number), repeat, f"objects={objects} page={page} client={runtime}", wecs, "", objects, page,
                runtime,
            )
            for number, (objects, repeat, page, runtime) in enumerate(turns)
        ]  # fmt: skip

    def needs(self, spec: UiLoad, fleet: FleetFile, trials: Sequence[UiTrial]) -> Needs:  # noqa: ARG002
        """Every WEC, and nothing of a manager's."""
        return Needs(frozenset(wec.name for wec in fleet.wecs()), frozenset())

    async def run(self, session: Session, trials: Sequence[UiTrial]) -> None:
        """As in the protocol."""
        programs = self._programs()
        wecs = session.spaces.wecs
        async with session.step("prepare"):
            wanted = {session.names.namespace}
            await make_namespaces(session.spaces, session.manager, session.names, wanted, pods=True)
            grown = Grown(session, sorted(wecs), {name: await node_names(one) for name, one in wecs.items()})
            await grown.events(session.spec.events)
        pages = wec_pages(session.fleet, wecs, series.API_SERVER, {})
        with tempfile.TemporaryDirectory(prefix="fleet-ui-") as name:
            folder = Path(name)
            static = folder / "static"
            private_directory(static)
            (static / "index.html").touch(0o600)
            requests = session.folder.raw("requests.jsonl")
            async with (
                session.measuring(),
                scraping(session, pages) as scraper,
                backend.running(session.spec, session.fleet, folder, static, requests) as running,
            ):
                await session.sampling.add(f"{running.component}.driver", running.tethered.pid)
                body = Trials(session, running, programs, folder, scraper)
                for trial in trials:
                    async with session.step(marks.GROW):
                        await grown.to(trial.objects)
                    await body.run(trial)

    async def clean(self, session: Session, trials: Sequence[UiTrial], seconds: float) -> CleanReport:
        """The run's nodes, then its namespaces."""
        left = []
        for one in session.spaces.wecs.values():
            try:
                await one.delete_collection(NODES, label_selector=session.names.selector())
            except KubeError as error:
                left.append(str(error))
        report = await super().clean(session, trials, seconds)
        return replace(report, left=(*report.left, *left))


def _local(fleet: FleetFile) -> None:
    """UsageError where a WEC is not on this machine: the frontend's backend needs its credentials."""
    local = {machine.name for machine in fleet.machines if machine.connection == "local"}
    away = [wec.name for wec in fleet.wecs() if wec.machine not in local]
    if away or not fleet.wecs():
        what = f"{', '.join(away[:3])} is on another one" if away else "it has none"
        raise UsageError(f"ui-load needs WECs that this machine's fleet {fleet.name} built, and {what}")


def _fits(spec: UiLoad, fleet: FleetFile) -> None:
    """UsageError with the numbers when nodes or machine cannot hold the pods."""
    most = max(spec.objects)
    added = round(spec.rates.pod * spec.duration)
    slots = fleet.wec_nodes * len(fleet.wecs()) * PODS_OF_NODE
    if most + added > slots:
        raise UsageError(
            f"objects: {most} pods and {added} that are added do not fit the {slots} places of"
            f" {fleet.wec_nodes * len(fleet.wecs())} simulated nodes: fleet up -e"
            f" wec_nodes={-(-(most + added) // (PODS_OF_NODE * len(fleet.wecs())))}"
        )
    check_memory(fleet, f"objects: {most} pods", most, MEMORY_PER_POD)


EXPERIMENT = UiLoadExperiment()
"""Finds ui-load by its folder."""
