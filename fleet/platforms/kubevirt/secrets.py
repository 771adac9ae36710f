"""Certificates that virt-operator makes, copied to the files that virt-api and virt-controller read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.errors import HostError
from fleet.host.files import write_private
from fleet.install.objects import Ledger
from fleet.kube.client import KubeClient
from fleet.kube.resources import CONFIGMAPS, SECRETS
from fleet.platforms.kubevirt import names, programs
from fleet.platforms.kubevirt.places import Places

AUTHORITY = "kubevirt-ca"
"""The ConfigMap with the authority's certificates."""


async def copy(places: Places, client: KubeClient, ledger: Ledger) -> None:
    """All of them, only where one differs. HostError names a Secret that holds none."""
    found = await client.get(CONFIGMAPS, AUTHORITY, names.NAMESPACE)
    _write(places.ca, str((found.get("data") or {}).get("ca-bundle") or "").encode(), ledger, places)
    for name in programs.SECRETS:
        secret = await client.get(SECRETS, name, names.NAMESPACE)
        for path, key in zip(places.pair(name), ("tls.crt", "tls.key"), strict=True):
            _write(path, _content(secret, key), ledger, places)


def _content(secret: Mapping[str, Any], key: str) -> bytes:
    try:
        return base64.b64decode((secret.get("data") or {}).get(key) or "", validate=True)
    except binascii.Error as error:
        raise HostError(f"Secret {secret['metadata']['name']}: {key} is no base64") from error


def _write(path: Path, data: bytes, ledger: Ledger, places: Places) -> None:
    if not data:
        raise HostError(f"{places.seat.wec}: KubeVirt has no certificate for {path.name}: see the log of virt-operator")
    if write_private(path, data):
        ledger.record(f"file {path.relative_to(places.seat.machine.root)}", None, "copied")
