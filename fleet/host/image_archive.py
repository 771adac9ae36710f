"""Image archives that `docker load` and `ctr images import` read: one layer, its configuration, its names."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from fleet.model.checksum import sha256_of

EPOCH = "1970-01-01T00:00:00Z"
"""Every time in an archive: the same content must give the same image."""
GZIP_LEVEL = 1
"""Of 450 MB: seconds instead of a minute, for a file that is a fifth larger."""


@dataclass(frozen=True)
class Settings:
    """How a container of the image starts."""

    architecture: str
    """As Go says it: amd64, arm64."""
    environment: Sequence[str] = ()
    entrypoint: Sequence[str] = ()
    stop_signal: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    def document(self, layer_digest: str) -> bytes:
        """The image's configuration (OCI image-spec, config.md) for one uncompressed layer."""
        config: dict[str, object] = {"Env": list(self.environment), "Labels": self.labels}
        if self.entrypoint:
            config["Entrypoint"] = list(self.entrypoint)
        if self.stop_signal:
            config["StopSignal"] = self.stop_signal
        document = {
            "architecture": self.architecture,
            "os": "linux",
            "created": EPOCH,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
            "history": [{"created": EPOCH, "created_by": "fleet"}],
        }
        return json.dumps(document, sort_keys=True).encode()


def write_archive(layer: Path, settings: Settings, names: Sequence[str], out: Path, *, compress: bool = False) -> str:
    """Write the archive of one uncompressed `layer` (a tar file) to `out`; the image's id (`sha256:<hex>`)."""
    layer_digest = sha256_of(layer)
    config = settings.document(layer_digest)
    image = hashlib.sha256(config).hexdigest()
    layer_name = f"{layer_digest}/layer.tar"
    manifest = [{"Config": f"{image}.json", "RepoTags": list(names), "Layers": [layer_name]}]
    with out.open("wb") as raw:
        packed = (
            gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=GZIP_LEVEL, mtime=0, filename="") if compress else raw
        )
        with packed, tarfile.open(fileobj=cast("IO[bytes]", packed), mode="w|", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, "manifest.json", json.dumps(manifest).encode())
            _add(tar, f"{image}.json", config)
            info = tarfile.TarInfo(layer_name)
            info.size = layer.stat().st_size
            with layer.open("rb") as stream:
                tar.addfile(info, stream)
    return f"sha256:{image}"


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
