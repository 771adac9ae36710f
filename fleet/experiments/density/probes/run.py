"""Ask every probe of two control planes; what a server refuses, and what takes too long, is an answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fleet.errors import FleetError, KubeError
from fleet.experiments.density.probes.extensions import EXTENSIONS
from fleet.experiments.density.probes.objects import OBJECTS
from fleet.experiments.density.probes.probe import Planes, Probe
from fleet.experiments.density.probes.workloads import WORKLOADS
from fleet.kube.client import KubeClient
from fleet.kube.endpoint import Endpoint
from fleet.kube.resources import NAMESPACES

PROBES: tuple[Probe, ...] = (*OBJECTS, *WORKLOADS, *EXTENSIONS)
"""To add one, write it in the module of its kind and add it to that module's tuple."""
DEADLINE = 120.0
"""Of one probe, which waits 30 s at most for each of its steps."""


@dataclass(frozen=True)
class Answer:
    """`why` is empty when it can."""

    probe: str
    why: str

    @property
    def able(self) -> bool:
        """It can."""
        return not self.why


async def ask(one: Endpoint, other: Endpoint, run: str) -> list[Answer]:
    """Every probe, all at once: most of one is waiting, and none touches another's objects.

    The namespaces are the run's own and go with the control planes.
    """
    namespace = f"probe-{run.lower()}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    async with KubeClient(one) as first, KubeClient(other) as second:
        for client in (first, second):
            await client.create(NAMESPACES, body)
        planes = Planes(first, second, namespace)
        answers = await asyncio.gather(*(_asked(probe, planes) for probe in PROBES))
    return [Answer(probe.name, why) for probe, why in zip(PROBES, answers, strict=True)]


async def _asked(probe: Probe, planes: Planes) -> str:
    try:
        async with asyncio.timeout(DEADLINE):
            return await probe.ask(planes)
    except KubeError as error:
        return f"{type(error).__name__} {error.status or ''}".strip()
    except FleetError as error:
        return type(error).__name__
    except TimeoutError:
        return f"no answer within {DEADLINE:.0f} s"
