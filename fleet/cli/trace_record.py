"""`fleet trace record`: opens the clusters, records until the time is over or Ctrl-C, and hands the trace back."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence

from fleet.cli.console import say
from fleet.errors import UsageError
from fleet.kube import cluster_client
from fleet.model.fleet_file import FleetFile
from fleet.model.model_errors import nearest
from fleet.trace.file import Trace
from fleet.trace.record import PodRecorder

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def record(
    fleet: FleetFile, clusters: Sequence[str], seconds: float, *, namespace: str | None, selector: str | None
) -> Trace:
    """`clusters` empty: all WECs. `seconds` 0: until a signal, which ends the recording well."""
    known = {cluster.name: cluster for cluster in fleet.clusters}
    for name in clusters:
        if name not in known:
            raise UsageError(f"--cluster: the fleet has no {name!r}{nearest(name, known)}")
    chosen = [known[name] for name in dict.fromkeys(clusters)] or fleet.wecs()
    if not chosen:
        raise UsageError("the fleet has no WEC to record from")

    async def go() -> Trace:
        allowed = [machine.address for machine in fleet.machines]
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(cluster_client.opened(cluster, allowed)) for cluster in chosen]
            recorder = PodRecorder(clients, namespace=namespace, selector=selector)
            for number in SIGNALS:
                loop.add_signal_handler(number, stop.set)
                stack.callback(loop.remove_signal_handler, number)
            if seconds:
                timer = loop.call_later(seconds, stop.set)
                stack.callback(timer.cancel)
            say(f"recording {len(chosen)} clusters {f'for {seconds:g} s' if seconds else 'until Ctrl-C'}")
            await recorder.run(stop)
            return recorder.trace()

    return asyncio.run(go())
