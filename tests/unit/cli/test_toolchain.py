from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Fleet


@pytest.mark.parametrize("words", [["verify"], ["path"], ["path", "etcd"], ["list"], ["list", "-o", "json"]])
def test_a_toolchain_that_is_not_built_is_told_with_the_mend(fleet: Fleet, tmp_path: Path, words: list[str]) -> None:
    ran = fleet("toolchain", *words, "--cache", str(tmp_path / "cache"))
    assert (ran.code, ran.out) == (1, "")
    assert "fleet toolchain build" in ran.err
    assert "Traceback" not in ran.err
    assert not (tmp_path / "cache").exists()
