"""Whether a status that a watch saw is final, by the table of kinds, and the digest of a status."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from fleet.model.kinds import Shown
from fleet.model.kinds import is_final as final
from fleet.results.events import WorkloadSeen

_encoder = msgspec.json.Encoder(order="deterministic")


def digest(status: Any) -> bytes:
    """16 bytes that are equal exactly when two statuses are deep-equal: same keys, values and list order."""
    return blake2b(_encoder.encode(status), digest_size=16).digest()


def is_final(seen: WorkloadSeen) -> bool:
    """Nothing more is to come: what the object asked for is there. See `fleet.model.kinds`."""
    return final(seen.ref.group, seen.ref.resource, Shown(seen.status, seen.generation, seen.replicas))
