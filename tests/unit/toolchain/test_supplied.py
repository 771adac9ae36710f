"""A user's own programs: only with the right sha256."""

import hashlib
from pathlib import Path

import pytest

from fleet.errors import ToolchainError, UsageError
from fleet.toolchain import supplied

HEX = hashlib.sha256(b"program").hexdigest()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "etcd").write_bytes(b"program")
    (tmp_path / "kwok").write_bytes(b"program")
    return tmp_path


def test_programs_with_the_right_hash(directory: Path) -> None:
    found = supplied(directory, {"etcd": HEX, "kwok": HEX.upper()})
    assert found.program("etcd") == directory / "bin" / "etcd"
    assert found.program("kwok") == directory / "kwok"
    assert found.digest == supplied(directory, {"kwok": HEX, "etcd": HEX}).digest
    with pytest.raises(ToolchainError, match="no program 'dense'; there are etcd, kwok"):
        found.program("dense")


def test_a_wrong_hash_names_both(directory: Path) -> None:
    with pytest.raises(ToolchainError, match=f"{HEX}.*{'0' * 64}"):
        supplied(directory, {"etcd": "0" * 64})


@pytest.mark.parametrize("name", ["absent", "../etcd", "/bin/sh"])
def test_a_name_that_is_not_there_or_leads_out(directory: Path, name: str) -> None:
    with pytest.raises(UsageError, match="fleet_toolchain"):
        supplied(directory, {name: HEX})


def test_no_hashes_at_all(directory: Path) -> None:
    with pytest.raises(UsageError, match="fleet_toolchain_sha256"):
        supplied(directory, {})
