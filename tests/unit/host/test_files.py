"""Private files: modes, atomic writes, folders that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.errors import HostError
from fleet.host.files import private_directory, remove_tree, write_private


def test_written_once_with_mode_0600_and_repaired(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert write_private(path, b"secret")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not write_private(path, b"secret")
    path.chmod(0o644)
    assert write_private(path, b"secret")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["key"]


def test_a_symbolic_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    link = tmp_path / "key"
    link.symlink_to(target)
    assert write_private(link, b"secret")
    assert target.read_bytes() == b"old"
    assert not link.is_symlink()


def test_a_folder_is_made_and_its_mode_repaired(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert private_directory(folder)
    assert not private_directory(folder)
    folder.chmod(0o777)
    assert private_directory(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_link_or_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="symbolic link"):
        private_directory(tmp_path / "link")
    with pytest.raises(HostError, match="is not a folder"):
        private_directory(tmp_path / "file")


def test_removing_follows_no_link(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "link").symlink_to(kept)
    assert remove_tree(tmp_path / "gone")
    assert not remove_tree(tmp_path / "gone")
    assert (kept / "file").exists()
