"""Without a Go on PATH the toolchain is built with the one from PyPI: really fetched, and a tiny module built."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from fleet.toolchain import catalogue, ensure, golang, locate
from tests.unit.toolchain.test_build import source

__all__ = ["source"]
CHECKOUT = Path(__file__).parents[2]


@pytest.mark.live
def test_the_wheel_builds_when_no_go_is_there(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = catalogue.load(CHECKOUT / "toolchain").go_wheel
    versions = source / "versions.yaml"
    versions.write_text(yaml.safe_dump(yaml.safe_load(versions.read_text()) | {"go_wheel": wheel}))
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    cache = tmp_path / "cache"
    before = golang.find(cache, wheel)
    assert (before.program, before.version) == (None, wheel)
    made = ensure(source, cache, lambda _: None)
    assert made == locate(source, cache)
    assert subprocess.run([made.program("one")], check=False).returncode == 0
    found = golang.find(cache, wheel)
    assert found.program is not None
    assert found.program.is_relative_to(cache)
    assert (found.version, found.architecture) == (before.version, before.architecture)
    assert [folder.name for folder in (cache / "go").iterdir()] == [found.program.parent.parent.name]
    assert os.access(found.program, os.X_OK)
