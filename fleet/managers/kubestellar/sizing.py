"""How large the ManifestWorks and the Binding of a policy become, before anything is sent.

Facts of KubeStellar 0.30 and OCM 1.2: the transport controller sorts a Binding's objects by resource, namespace and
name and wraps at most `max_num_wrapped` of them, and less than `max_size_wrapped` bytes of their JSON, into one
ManifestWork per WEC; an object larger than that fails the whole Binding. The agent then writes conditions and feedback
per manifest into the ManifestWork's status, which lies in the same etcd value. The Binding names every object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from fleet.errors import UsageError
from fleet.managers.manager import Write
from fleet.model.client_limits import ClientLimits

ETCD_REQUEST_BYTES = 1_572_864
"""etcd's default --max-request-bytes, 1.5 MiB: a larger write is refused forever, and KubeStellar tries forever."""
WORK_BYTES = 2_600
"""Of a ManifestWork without its manifests and their status: metadata with managedFields, conditions."""
STATUS_BYTES = 1_000
"""Per manifest in the ManifestWork's status: resourceMeta and three conditions."""
BINDING_BYTES = 2_000
CLAUSE_BYTES = 150
"""Per object in the Binding, alongside its names."""
CREATION_BYTES = 43
"""`"creationTimestamp":"..."`, which the WDS adds and the transport controller keeps."""
DEFAULT_BYTES: Mapping[str, int] = {"Deployment": 409, "Pod": 589}
"""By kind: fields with the API server's defaults, which the WDS adds and the transport controller keeps. Of objects
with one container, from their answers to a dry run (Kubernetes 1.34)."""


@dataclass(frozen=True)
class Sizes:
    """One policy; bytes as etcd gets them."""

    objects: int
    wrapped: int
    """JSON of all objects."""
    works: int
    """ManifestWorks per WEC."""
    largest_work: int
    largest_object: int
    binding: int

    def __str__(self) -> str:
        """For people."""
        return (
            f"{self.objects} objects of {self.wrapped / 1000:.1f} kB per policy, {self.works} ManifestWorks per WEC, "
            f"the largest {self.largest_work / 1000:.1f} kB, the Binding {self.binding / 1000:.1f} kB"
        )


def sizes(objects: Sequence[Write], limits: ClientLimits) -> Sizes:
    """Of one policy's objects."""
    ordered = sorted(objects, key=_names)
    each = [len(orjson.dumps(item.body)) + CREATION_BYTES + DEFAULT_BYTES.get(item.body["kind"], 0) for item in ordered]
    shards: list[list[int]] = [[]]
    for size in each:
        shard = shards[-1]
        if shard and (len(shard) >= limits.max_num_wrapped or sum(shard) + size >= limits.max_size_wrapped):
            shards.append([])
        shards[-1].append(size)
    clauses = sum(CLAUSE_BYTES + sum(len(part) for part in _names(item)) for item in ordered)
    return Sizes(
        objects=len(each),
        wrapped=sum(each),
        works=len(shards),
        largest_work=WORK_BYTES + max(sum(shard) + STATUS_BYTES * len(shard) for shard in shards),
        largest_object=max(each, default=0),
        binding=BINDING_BYTES + clauses,
    )


def _names(item: Write) -> tuple[str, str, str, str]:
    return item.resource.group, item.resource.plural, item.namespace or "", item.name


def check(found: Sizes, limits: ClientLimits) -> None:
    """UsageError, with the numbers, for a policy that etcd or the transport controller would refuse forever."""
    for what, size in (("a ManifestWork", found.largest_work), ("the Binding", found.binding)):
        if size > ETCD_REQUEST_BYTES:
            raise UsageError(
                f"workload: {what} of a policy would be about {size} bytes, etcd takes {ETCD_REQUEST_BYTES} "
                f"({found}). Fewer workload.objects, a smaller profile, or a lower max_num_wrapped or max_size_wrapped "
                "of the fleet"
            )
    if found.largest_object > limits.max_size_wrapped:
        raise UsageError(
            f"workload: an object of {found.largest_object} bytes does not fit the fleet's max_size_wrapped of "
            f"{limits.max_size_wrapped}: KubeStellar would fail the whole Binding. Raise it with `fleet up -e "
            "max_size_wrapped=...`, or make the object smaller"
        )
