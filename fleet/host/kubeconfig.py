"""Kubeconfigs with embedded certificates, mode 0600."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml

from fleet.host.files import write_private


def render_kubeconfig(server: str, ca: Path, cert: Path, key: Path, context: str) -> bytes:
    """The document; `context` names its cluster, user and context."""

    def embedded(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode("ascii")

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": {"server": server, "certificate-authority-data": embedded(ca)}}],
        "users": [
            {"name": context, "user": {"client-certificate-data": embedded(cert), "client-key-data": embedded(key)}}
        ],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }
    return yaml.safe_dump(document, sort_keys=False).encode()


def write_kubeconfig(path: Path, server: str, ca: Path, cert: Path, key: Path, context: str) -> bool:  # noqa: PLR0917
    """Write it atomically; True when its content or mode changed."""
    return write_private(path, render_kubeconfig(server, ca, cert, key, context))
