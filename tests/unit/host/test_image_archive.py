"""An image archive holds what `docker load` looks for, and is the same for the same content."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from fleet.host.image_archive import Settings, write_archive

SETTINGS = Settings("amd64", environment=("A=b",), entrypoint=("/pause",), stop_signal="SIGTERM")


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    file = tmp_path / "layer.tar"
    with tarfile.open(file, "w") as tar:
        info = tarfile.TarInfo("pause")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    return file


@pytest.mark.parametrize("compress", [False, True])
def test_names_configuration_and_layer(layer: Path, tmp_path: Path, compress: bool) -> None:
    out = tmp_path / "image"
    image = write_archive(layer, SETTINGS, ["registry.k8s.io/pause:3.10.1", "other:1"], out, compress=compress)
    with tarfile.open(out, "r:gz" if compress else "r:") as tar:
        members = {member.name: tar.extractfile(member) for member in tar}
        read = {name: stream.read() for name, stream in members.items() if stream is not None}
    (manifest,) = json.loads(read["manifest.json"])
    assert manifest["RepoTags"] == ["registry.k8s.io/pause:3.10.1", "other:1"]
    config = read[manifest["Config"]]
    assert image == f"sha256:{hashlib.sha256(config).hexdigest()}"
    document = json.loads(config)
    data = layer.read_bytes()
    assert document["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(data).hexdigest()}"]
    assert document["config"] == {
        "Env": ["A=b"],
        "Labels": {},
        "Entrypoint": ["/pause"],
        "StopSignal": "SIGTERM",
    }
    assert [read[name] for name in manifest["Layers"]] == [data]


def test_the_same_content_is_the_same_image(layer: Path, tmp_path: Path) -> None:
    outs = [tmp_path / "one", tmp_path / "two"]
    first, second = (write_archive(layer, SETTINGS, ["a:1"], out, compress=True) for out in outs)
    assert first == second
    assert outs[0].read_bytes() == outs[1].read_bytes()
