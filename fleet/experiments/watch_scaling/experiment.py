"""watch-scaling: its trials, what it refuses, and its body."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet.errors import MeasurementError, SpecError, UsageError
from fleet.experiment.definition import Needs
from fleet.experiment.load_client import PROGRAM, LoadClient, credentials, threads
from fleet.experiment.own import OwnExperiment, PlannedTrial
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.session import Session
from fleet.experiment.wec_nodes import node_names
from fleet.experiments.watch_scaling.analysis import KEPT, WINDOW
from fleet.experiments.watch_scaling.orders import SLACK, Target, watch_order, watch_seconds
from fleet.experiments.watch_scaling.programs import Look, Scale
from fleet.experiments.watch_scaling.spec import Series, WatchScaling, series_of
from fleet.experiments.watch_scaling.steps import CLIENT, STREAMER
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.managers.manager import Manager, Spaces
from fleet.model.checkout import checkout
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import trial_id
from fleet.observe.metrics import Scraper
from fleet.observe.wec_pages import wec_pages
from fleet.toolchain import locate

NEED = "experiment:watch-scaling"
FEWEST_NODES = 2


@dataclass(frozen=True)
class WatchTrial(PlannedTrial):
    """One series of steps."""

    series: Series = field(kw_only=True)


def built() -> Path:
    """The load client; ToolchainMissing when it is not built."""
    return locate(checkout() / "toolchain", None, {NEED}).program(PROGRAM)


class WatchScalingExperiment(OwnExperiment[WatchScaling]):
    """The body."""

    name = "watch-scaling"
    file = WatchScaling

    def __init__(self, program: Callable[[], Path] = built) -> None:
        self._program = program

    def plan(self, spec: WatchScaling, fleet: FleetFile, manager: Manager) -> Sequence[WatchTrial]:  # noqa: ARG002
        """A trial per series, the client's ceilings first."""
        if not fleet.wecs():
            raise UsageError(f"the fleet {fleet.name} has no WEC: fleet up -e wec_count=1")
        if spec.during:
            raise SpecError("a fault would be measured as a limit: run it in another experiment", field="during")
        wec = fleet.wecs()[0].name
        Scale(fleet, wec)
        if "node" in spec.selectors and fleet.wec_nodes < FEWEST_NODES:
            raise UsageError(
                f"selectors: `node` needs {FEWEST_NODES} nodes or more, and each WEC has {fleet.wec_nodes}:"
                " fleet up -e wec_nodes=10, or leave `node` out"
            )
        what = f"{spec.first} to {spec.most} watches"
        turns = [(repeat, one) for repeat in [-1] * spec.warmup + list(range(spec.repeats)) for one in series_of(spec)]
        return [
            WatchTrial(trial_id(number), repeat, one.point, (wec,), what, series=one)
            for number, (repeat, one) in enumerate(turns)
        ]

    def needs(self, spec: WatchScaling, fleet: FleetFile, trials: Sequence[WatchTrial]) -> Needs:  # noqa: ARG002
        """The first WEC."""
        return Needs(frozenset(trials[0].clusters), frozenset())

    async def admit(self, spec: WatchScaling, fleet: FleetFile, spaces: Spaces, trials: Sequence[WatchTrial]) -> None:
        """Also: the load client is built."""
        self._program()
        await super().admit(spec, fleet, spaces, trials)

    async def run(self, session: Session, trials: Sequence[WatchTrial]) -> None:
        """Series after series on the same objects."""
        client = session.spaces.wecs[trials[0].clusters[0]]
        with tempfile.TemporaryDirectory(prefix="fleet-watch-") as folder, threads() as pool:
            loads = LoadClient(self._program(), pool)
            async with session.step("prepare"):
                target, size = await _prepare(session, client, Path(folder))
            pages = wec_pages(session.fleet, {client.cluster: client}, KEPT, {})
            async with session.measuring(), Scraper(pages, session.recorder) as scraper:
                for trial in trials:
                    scale = Scale(session.fleet, client.cluster)
                    async with session.trial(trial):
                        if trial.series.server == "api":
                            await _Run(session, trial, loads, scale, scraper).run(target)
                        else:
                            async with _streaming(session, trial, loads, scale, Path(folder), size) as streamer:
                                ours = Target(streamer, target.path, target.names, ())
                                await _Run(session, trial, loads, scale, scraper).run(ours)


@dataclass
class _Run:
    """One trial."""

    session: Session
    trial: WatchTrial
    loads: LoadClient
    scale: Scale
    scraper: Scraper
    before: Look | None = None

    async def run(self, target: Target) -> None:
        """The client goes through its steps; at both ends of each window the programs are measured and scraped."""
        spec: WatchScaling = self.session.spec
        await self.scraper.scrape()
        told: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        following = asyncio.create_task(self._follow(told))
        log = self.session.folder.raw(f"{self.trial.id}-watch.jsonl")
        order = watch_order(spec, self.trial.series, target)
        running = asyncio.create_task(
            self.loads.run(
                "watch", order, log=log, seconds=watch_seconds(spec), heard=told.put_nowait, started=self._started
            )
        )
        try:
            await asyncio.wait({running, following}, return_when=asyncio.FIRST_COMPLETED)
            if following.done() and not running.done():
                following.result()  # its own error; without one it has heard the last line
            await running
            await following
        finally:
            for task in (running, following):
                task.cancel()
            await asyncio.gather(running, following, return_exceptions=True)

    def _started(self, pid: int) -> None:
        self.scale.besides[CLIENT] = pid

    async def _follow(self, told: asyncio.Queue[Mapping[str, Any]]) -> None:
        steps = len(self.session.spec.steps())
        done = 0
        while (line := await told.get())["event"] != "result":
            watches = str(line["watches"])
            if line["event"] == "begin":
                await self.scraper.scrape()
                self.before = await self.scale.look()
                self.session.recorder.mark(WINDOW, "begin", trial=self.trial.id, note=watches)
            elif self.before is not None:
                self._weighed(watches, self.before, await self.scale.look())  # first: the client may end soon
                await self.scraper.scrape()
                self.session.recorder.mark(WINDOW, "end", trial=self.trial.id, note=watches)
                done += 1
                self.session.progress.marks(done, steps)

    def _weighed(self, watches: str, before: Look, after: Look) -> None:
        elapsed = after.seconds - before.seconds
        for role, now in after.weights.items():
            was = before.weights.get(role)
            if was is None or was.pid != now.pid:
                text = f"{self.trial}: {role} was started again at {watches} watches"
                self.session.recorder.anomaly("restarted", text, trial=self.trial.id)
                continue
            labels = {"watches": watches, "program": role}
            cpu = (now.cpu_seconds - was.cpu_seconds) / elapsed
            self.session.measured("cpu", cpu, "cores", trial=self.trial.id, **labels)
            self.session.measured("pss", float(now.pss), "B", trial=self.trial.id, **labels)


async def _prepare(session: Session, client: KubeClient, folder: Path) -> tuple[Target, int]:
    """The objects, and how long an event about one is, in bytes."""
    spec, names = session.spec, session.names
    await make_namespaces(session.spaces, session.manager, names, {names.namespace}, pods=True)
    nodes: list[str] = []
    if "node" in spec.selectors:
        found = await node_names(client)
        nodes = [found[number % len(found)] for number in range(spec.objects)]
    items = [f"w{number:04d}" for number in range(spec.objects)]
    made: list[Any] = []

    async def create(number: int) -> None:
        meta: dict[str, Any] = {"name": items[number], "labels": names.labels()}
        if spec.bytes:
            meta["annotations"] = {"padding": "x" * spec.bytes}
        # Without a node no scheduler takes it: it is there to be changed, and nobody else may change it.
        place = {"nodeName": nodes[number]} if nodes else {"schedulerName": "none"}
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": meta,
            "spec": {**place, "containers": [{"name": "c", "image": "none"}]},
        }
        made.append(await client.create(resources.PODS, body, names.namespace, retry=True))

    await each(range(spec.objects), create)
    cluster = next(one for one in session.fleet.wecs() if one.name == client.cluster)
    path = resources.PODS.path(namespace=names.namespace)
    size = max(len(json.dumps(item, separators=(",", ":"))) for item in made)
    return Target(credentials(cluster, folder), path, items, nodes), size


@asynccontextmanager
async def _streaming(  # noqa: PLR0917 - what one server is
    session: Session, trial: WatchTrial, loads: LoadClient, scale: Scale, folder: Path, size: int
) -> AsyncIterator[Mapping[str, str]]:
    """A server that only streams, while the block lasts; where it is."""
    listening: asyncio.Future[Mapping[str, str] | None] = asyncio.get_running_loop().create_future()
    place = folder / trial.id
    place.mkdir(0o700)

    def heard(line: Mapping[str, Any]) -> None:
        listening.set_result({"name": STREAMER, **{name: line[name] for name in ("server", "ca", "token_file")}})

    def started(pid: int) -> None:
        scale.besides[STREAMER] = pid

    order = {"folder": str(place), "bytes": size}
    log = session.folder.raw(f"{trial.id}-stream.jsonl")
    seconds = watch_seconds(session.spec) + SLACK
    serving = asyncio.create_task(loads.run("stream", order, log=log, seconds=seconds, heard=heard, started=started))

    def ended(_: asyncio.Task[None]) -> None:
        if not listening.done():
            listening.set_result(None)

    serving.add_done_callback(ended)
    try:
        where = await listening
        if where is None:
            await serving
            raise MeasurementError(f"{PROGRAM} stream ended before it listened")
        yield where
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


EXPERIMENT = WatchScalingExperiment()
"""Finds watch-scaling by its folder."""
