"""Records a trace from running clusters: the pod watch of all of them at once, stamped at receipt on one clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from fleet.errors import DeadlineError
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.reflector import Gap, Reflector, WatchEvent
from fleet.model.run_names import ENTRY_ANNOTATION
from fleet.model.trace import Header
from fleet.trace.file import Trace
from fleet.trace.lives import Life, exit_code, lines, phase, read_spec, was_evicted

SYNC_SECONDS = 60.0
OVER = "they had ended before the recording began"


class PodRecorder:
    """Keeps what the pod watches of some clusters deliver. `run` it, then take the `trace`."""

    def __init__(
        self, clients: Sequence[KubeClient], *, namespace: str | None = None, selector: str | None = None
    ) -> None:
        self._clients = clients
        self._lives: dict[tuple[str, str], Life] = {}
        self._keys: set[str] = set()
        self._gaps: list[Gap] = []
        self._zero = 0.0
        self._end = 0.0
        self._moment = ""
        self._reflectors = [
            Reflector(
                client, resources.PODS, self._event, on_gap=self._gaps.append, on_reconnect=self._gaps.append,
                namespace=namespace, label_selector=selector,
            )
            for client in clients
        ]  # fmt: skip

    @property
    def pods(self) -> int:
        """Seen so far."""
        return len(self._lives)

    @property
    def ended(self) -> int:
        """Of these, that have ended or are gone."""
        return sum(life.ended is not None or life.deleted is not None for life in self._lives.values())

    @property
    def began(self) -> bool:
        """Every cluster was listed: what comes now is recorded."""
        return bool(self._zero)

    async def run(self, stop: asyncio.Event) -> None:
        """Record until `stop` is set. DeadlineError when a cluster could not be listed within a minute; what ended a
        watch for good is raised."""
        tasks = [asyncio.create_task(reflector.run()) for reflector in self._reflectors]
        ending = asyncio.create_task(stop.wait())
        try:
            for reflector in self._reflectors:
                await reflector.wait_synced(SYNC_SECONDS)
            self._zero, self._moment = time.monotonic(), datetime.now(UTC).isoformat(timespec="milliseconds")
            done, _ = await asyncio.wait([ending, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {ending}:
                await task  # a watch ends only by its error
        finally:
            self._end = time.monotonic()
            for task in (ending, *tasks):
                task.cancel()
            await asyncio.gather(ending, *tasks, return_exceptions=True)

    def trace(self) -> Trace:
        """What was seen; DeadlineError when the recording never began."""
        if not self._zero:
            raise DeadlineError("the recording ended before every cluster had been listed")
        ended = [
            one for one in self._lives.values() if one.before and one.ended is not None and one.ended <= self._zero
        ]
        made = lines((life for life in self._lives.values() if life not in ended), self._zero)
        blind = sum(max(0, gap.end_ns - gap.start_ns) for gap in self._gaps) / 1e9
        notes = [f"watches were blind for {blind:.1f} s in all: {len(self._gaps)} gaps"] if self._gaps else []
        header = Header(
            source="record", pods=len(made.pods), span=round(self._end - self._zero, 6), clock="receipt",
            complete=not self._gaps, began=self._moment, clusters=[client.cluster for client in self._clients],
            left_out={**made.left_out, **({OVER: len(ended)} if ended else {})}, notes=notes,
        )  # fmt: skip
        return Trace(header, made.pods)

    def _event(self, event: WatchEvent) -> None:
        item, moment = event.object, event.mono_ns / 1e9
        meta = item["metadata"]
        found = (event.cluster, str(meta["uid"]))
        life = self._lives.get(found)
        if life is None:
            if event.type == "DELETED":
                return
            life = self._lives[found] = self._new(event)
            life.before = not self._zero
            life.created = moment
        read_spec(life, item)
        if life.node is not None and life.bound is None:
            life.bound = moment
        said = phase(item)
        if said in ("Running", "Succeeded", "Failed") and life.running is None and (said == "Running" or life.before):
            life.running = moment
        if said in ("Succeeded", "Failed") and life.ended is None and life.deleted is None:
            if meta.get("deletionTimestamp"):  # a kubelet ends what is deleted before it goes
                life.deleted = moment
            else:
                life.ended, life.succeeded, life.exit = moment, said == "Succeeded", exit_code(item)
        life.evicted = life.evicted or was_evicted(item)
        if event.type == "DELETED" and life.deleted is None:
            life.deleted = moment

    def _new(self, event: WatchEvent) -> Life:
        """Of a replayed pod the key is its key in the trace that was replayed, so that both can be compared."""
        meta = event.object["metadata"]
        namespace, name = str(meta.get("namespace", "")), str(meta["name"])
        replayed = (meta.get("annotations") or {}).get(ENTRY_ANNOTATION)
        several = len(self._clients) > 1
        key = str(replayed or (f"{event.cluster}/{namespace}/{name}" if several else f"{namespace}/{name}"))
        if key in self._keys:  # a name that was used again
            key = f"{key}#{meta['uid']}"
        self._keys.add(key)
        return Life(key, namespace, event.cluster)
