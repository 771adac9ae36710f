"""Delete the keys of one control plane from a shard's etcd, over the JSON gateway that etcd serves alongside
gRPC."""

from __future__ import annotations

import base64

from fleet.errors import HostError
from fleet.host.drivers.dense.plan import Shard, shard_store
from fleet.host.https import Endpoint
from fleet.host.machine import Machine

OK = 200


def prefix_range(prefix: str) -> tuple[bytes, bytes]:
    """First key and the first after the last of all keys below `<prefix>/`: the last byte counted up, as
    etcd's clients do."""
    start = f"{prefix}/".encode()
    return start, start[:-1] + bytes([start[-1] + 1])


def etcd_answers(machine: Machine, shard: Shard) -> bool:
    """Whether a shard's etcd is healthy."""
    try:
        return _endpoint(machine, shard).request("GET", "/health", timeout=5.0).status == OK
    except OSError:
        return False


def delete_prefix(machine: Machine, shard: Shard, prefix: str) -> int:
    """Delete all keys below `<prefix>/`; how many there were."""
    first, after = prefix_range(prefix)
    body = {"key": base64.b64encode(first).decode(), "range_end": base64.b64encode(after).decode()}
    answer = _endpoint(machine, shard).request("POST", "/v3/kv/deleterange", body, timeout=60.0)
    if answer.status != OK:
        raise HostError(f"etcd of dense shard {shard.number} did not delete {prefix}/: {answer.status} {answer.text()}")
    return int(answer.json().get("deleted", 0))


def _endpoint(machine: Machine, shard: Shard) -> Endpoint:
    store = shard_store(machine.layout, shard)
    return Endpoint(store.url, machine.layout.pki / "etcd-ca.crt", store.client.cert, store.client.key)
