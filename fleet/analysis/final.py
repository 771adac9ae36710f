"""Whether a status that a watch saw is final, by the table of kinds, and the digest of a status."""

from __future__ import annotations

from collections.abc import Mapping
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


def covers(status: Any, fields: Any) -> bool:
    """Whether a status has these fields with these values. Of a list each entry must be met by one of the status's;
    a counter of 0 may be left out on either side."""
    if isinstance(fields, Mapping):
        have = status if isinstance(status, Mapping) else {}
        return all(covers(have.get(key), value) for key, value in fields.items())
    if isinstance(fields, list):
        listed = status if isinstance(status, list) else []
        return all(any(covers(entry, wanted) for entry in listed) for wanted in fields)
    return bool(status == fields or (not status and fields == 0))


def is_final(seen: WorkloadSeen) -> bool:
    """Nothing more is to come: what the object requested is there. See `fleet.model.kinds`."""
    return final(seen.ref.group, seen.ref.resource, Shown(seen.status, seen.generation, seen.replicas))
