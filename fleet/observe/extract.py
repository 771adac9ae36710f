"""Raw Kubernetes objects -> event lines: keeps identity, versions, links and status, drops the rest. No I/O.

What an object of a manager says is read by the manager's hops; which rule joins it stands in `fleet.analysis.join`. A
missing field becomes the field's empty value: an object that a test or a stranger put there must not stop a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from fleet.kube.resources import Resource
from fleet.managers.fields import Object, entries, number, op_of, text, within
from fleet.managers.manager import Hop, Told
from fleet.observe.writers import Writers
from fleet.results.events import HopSeen, ObjectRef, WorkloadSeen

SeenLine = WorkloadSeen | HopSeen

_encoder = msgspec.json.Encoder()
NOTHING = Told()


class Receipt(NamedTuple):
    """Where and when one watch event was received, before it was parsed."""

    cluster: str
    type: str
    """ADDED, MODIFIED or DELETED."""
    ns: int
    """time.monotonic_ns() of the driver."""
    wall: int
    """Unix time in nanoseconds."""
    listed: bool = False
    gap: bool = False
    writer: str = ""

    def fields(self, metadata: Object) -> dict[str, Any]:
        """The fields that every Seen line has."""
        return {
            "ns": self.ns,
            "wall": self.wall,
            "cluster": self.cluster,
            "type": self.type,
            "uid": text(metadata, "uid"),
            "rv": text(metadata, "resourceVersion"),
            "listed": self.listed,
            "gap": self.gap,
            "writer": self.writer,
        }


class Extractor:
    """Turns raw objects into lines. Remembers who wrote each object last, and what each of the manager's said last.

    What an object says is written only when it changed (a policy may name thousands of objects), and a deletion only of
    an object that said something before: one that only a list revealed has no labels any more.
    """

    def __init__(self, hops: Mapping[tuple[str, Resource], Sequence[Hop]]) -> None:
        """`hops` by cluster and resource; whatever has none is an object of the workload."""
        self._hops = hops
        self._said: dict[tuple[str, str], tuple[int, bytes]] = {}
        """By mark and uid: the generation where that suffices, else the digest of what was read."""
        self._writers = Writers()

    def lines(self, resource: Resource, receipt: Receipt, obj: Object) -> list[SeenLine]:
        """The lines of that object, one per hop that has something to say; none when it is not ours."""
        metadata = within(obj, "metadata")
        receipt = self._signed(receipt, metadata)
        hops = self._hops.get((receipt.cluster, resource))
        if hops is None:
            return [workload(resource, receipt, obj)]
        found = [self._hop(hop, receipt, obj, metadata, whole=hop is hops[0]) for hop in hops]
        return [line for line in found if line is not None]

    def _signed(self, receipt: Receipt, metadata: Object) -> Receipt:
        """With the manager that wrote this version."""
        if receipt.type == "DELETED":
            self._writers.forget(receipt.cluster, metadata)
            return receipt
        return receipt._replace(writer=self._writers.writer(receipt.cluster, metadata))

    def _hop(self, hop: Hop, receipt: Receipt, obj: Object, metadata: Object, *, whole: bool) -> HopSeen | None:
        """What one hop reads out of it. The first hop of a resource has a line for each version, the `whole` history;
        the others only for those that say something new."""
        key = (hop.row.mark, text(metadata, "uid"))
        if receipt.type == "DELETED":
            return _line(hop, receipt, metadata, NOTHING) if self._said.pop(key, None) is not None else None
        generation = number(metadata, "generation") if hop.of_generation else 0
        known = self._said.get(key)
        if generation and known is not None and known[0] == generation:
            return _line(hop, receipt, metadata, NOTHING, again=True) if whole else None
        told = hop.read(obj, receipt.cluster)
        if told is None:
            return None
        digest = b"" if generation else blake2b(_encoder.encode(told), digest_size=16).digest()
        self._said[key] = (generation, digest)
        if known is not None and not generation and known[1] == digest:
            return _line(hop, receipt, metadata, NOTHING, again=True) if whole else None
        return _line(hop, receipt, metadata, told)


def _line(hop: Hop, receipt: Receipt, metadata: Object, told: Told, *, again: bool = False) -> HopSeen:
    return HopSeen(
        **receipt.fields(metadata),
        hop=hop.row.mark,
        resource=hop.row.resource,
        name=text(metadata, "name"),
        namespace=text(metadata, "namespace"),
        server=text(metadata, "creationTimestamp"),
        again=again,
        facts=list(told.facts),
        gives=list(told.gives),
        policy=told.policy,
        source=told.source,
        version=told.version,
        targets=None if told.targets is None else list(told.targets),
    )


def workload(resource: Resource, receipt: Receipt, obj: Object) -> WorkloadSeen:
    """An object of the workload's kinds, at a source or in a WEC."""
    metadata = within(obj, "metadata")
    replicas = within(obj, "spec").get("replicas")
    return WorkloadSeen(
        **receipt.fields(metadata),
        ref=ObjectRef(resource.group, resource.plural, text(metadata, "namespace"), text(metadata, "name")),
        op=op_of(obj),
        generation=number(metadata, "generation"),
        owners=[text(owner, "uid") for owner in entries(metadata, "ownerReferences")],
        status=obj.get("status"),
        replicas=replicas if isinstance(replicas, int) else None,
        server=text(metadata, "creationTimestamp"),
    )
