"""A small fleet file with kubeconfigs, valid until a test spoils it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fleet.model.client_limits import ClientLimits
from fleet.model.fleet_file import ManagerOf
from fleet.model.pairing import paired

OTHERS = ("ocm_", "karmada_", "kubefleet_")
LIMITS = {name: value for name, value in ClientLimits().model_dump().items() if not name.startswith(OTHERS)}
"""As a fleet of the first format had them."""
"""What such a fleet has where nothing was set."""


def kubestellar(
    sources: tuple[str, ...] = ("wds1",), transports: tuple[str, ...] = ("its1",), served: list[str] | None = None
) -> ManagerOf:
    """KubeStellar with those spaces."""
    return ManagerOf(
        name="kubestellar",
        version="v0.30.0",
        source="wds",
        transport="its",
        transports=paired(sources, transports),
        served=served,
        facts={"status_agent": "fleet", "status_agent_version": "0.1.0"},
    )


def document(folder: Path, wecs: int = 2) -> dict[str, Any]:
    """`fleet.json` as the record role writes it, for a fleet in `folder`."""
    names = [("its1", "its"), ("wds1", "wds"), *((f"wec{n:03d}", "wec") for n in range(1, wecs + 1))]
    return {
        "format": 1,
        "name": folder.name,
        "created": "2026-01-02T03:04:05Z",
        "inventory": "inventories/localhost",
        "toolchain_digest": "sha256:0123456789abcdef",
        "status_agent": {"implementation": "fleet", "version": "0.1.0"},
        "machines": [{"name": "local", "state_dir": str(folder)}],
        "clusters": [
            {
                "name": name,
                "role": role,
                "machine": "local",
                "driver": "dense" if role == "wec" else "process",
                "server": f"https://127.0.0.1:{16001 + 3 * index}",
                "kubeconfig": str(folder / "clusters" / name / "kubeconfig"),
            }
            for index, (name, role) in enumerate(names)
        ],
        "components": [
            {"program": f"kube-apiserver.{name}", "component": "kube-apiserver", "machine": "local", "cluster": name}
            for name in ("its1", "wds1")
        ],
    }


def write(folder: Path, data: object) -> Path:
    """Write it with its kubeconfigs, private as they must be; the fleet file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "fleet.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data))
    file.chmod(0o600)
    for cluster in data["clusters"] if isinstance(data, dict) else []:
        path = Path(str(cluster["kubeconfig"]))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text("kind: Config\n")
        path.chmod(0o600)
    return file
