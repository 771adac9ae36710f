"""An archive of what was built, taken on a machine without this Go; and every archive that must be refused."""

import gzip
import hashlib
import io
import json
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.errors import FleetError, UsageError
from fleet.toolchain import catalogue, ensure, locate, store
from fleet.toolchain.archive import MANIFEST
from fleet.toolchain.licences import identify
from fleet.toolchain.pack import Archive, pack
from fleet.toolchain.take import use
from tests.unit.toolchain.test_build import VERSIONS

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
Change = Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = tmp_path_factory.mktemp("checkout")
    folder = checkout / "toolchain"
    command = folder / "tiny" / "cmd" / "one"
    command.mkdir(parents=True)
    (checkout / "LICENSE").write_text("Apache License\nVersion 2.0, January 2004\n")
    (folder / "versions.yaml").write_text(VERSIONS)
    (folder / "tiny" / "go.mod").write_text("module tiny.example\n\ngo 1.25.0\n")
    (folder / "tiny" / "things.yaml").write_text("kind: CustomResourceDefinition\n")
    (command / "main.go").write_text("package main\n\nfunc main() {}\n")
    return folder


@pytest.fixture(scope="module")
def made(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Built and packed here, then as if another Go were the one of this machine."""
    cache = tmp_path_factory.mktemp("cache")
    ensure(source, cache, lambda _: None)
    return pack(source, cache, catalogue.load(source), tmp_path_factory.mktemp("out"))


def test_the_programs_of_an_archive_serve_under_another_go(
    source: Path, made: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # a Go of the wheel's version, which is not the one that built
    if shutil.which("go"):
        pytest.skip("Go is a part of this system")
    cache = tmp_path / "cache"
    taken = use(source, cache, str(made.file), made.sha256)
    found = locate(source, cache)
    assert [part.root for part in found.parts] == [*taken.roots]
    assert found.program("one").samefile(found.program("uno"))
    assert found.program("one").stat().st_mode & 0o777 == 0o755
    assert found.crd("things").read_text() == "kind: CustomResourceDefinition\n"
    steps: list[object] = []
    assert ensure(source, cache, steps.append) == found
    assert steps == []
    assert use(source, cache, str(made.file), made.sha256) == taken
    again = pack(source, cache, catalogue.load(source), tmp_path / "again")
    assert again.sha256 == made.sha256


def test_hashes_and_licences_are_in_the_manifest(made: Archive) -> None:
    with tarfile.open(made.file) as tar:
        manifest = json.load(_content(tar, MANIFEST))
        (group,) = manifest["groups"].values()
        licences = {module["module"]: module["licence"] for module in group["modules"]}
        assert licences == {"fleet-testbed": "Apache-2.0", "go": "BSD-3-Clause"}
        assert made.unlicensed == ()
        names = tar.getnames()
        assert names == [MANIFEST, *manifest["files"]]
        for module in group["modules"]:
            assert {f"{group['folder']}/{text}" for text in module["texts"]} <= {*names}
        for name, sha256 in manifest["files"].items():
            assert hashlib.sha256(_content(tar, name).read()).hexdigest() == sha256


def _content(tar: tarfile.TarFile, name: str) -> io.BufferedReader:
    stream = tar.extractfile(name)
    assert stream is not None
    return stream  # type: ignore[return-value]


def _changed(made: Archive, target: Path, change: Change, more: tarfile.TarInfo | None = None) -> tuple[str, str]:
    """A copy of the archive with other members; its path and its own right sha256."""
    with (
        tarfile.open(made.file) as old,
        gzip.open(target, "wb") as stream,
        tarfile.open(fileobj=stream, mode="w") as new,
    ):
        for member in old:
            content = b"" if member.islnk() else _content(old, member.name).read()
            kept = change(member, content)
            if kept is not None:
                kept[0].size = 0 if kept[0].islnk() else len(kept[1])
                new.addfile(kept[0], io.BytesIO(kept[1]))
        if more is not None:
            new.addfile(more)
    return str(target), hashlib.sha256(target.read_bytes()).hexdigest()


def _same(member: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return member, content


def _manifest(**fields: object) -> Change:
    def change(member: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        return member, json.dumps({**json.loads(content), **fields}).encode() if member.name == MANIFEST else content

    return change


def _renamed(to: str) -> Change:
    """One file under another name, in the manifest too: only the check of names can refuse it."""

    def change(member: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if member.name == MANIFEST:
            manifest = json.loads(content)
            name = next(name for name in manifest["files"] if name.endswith("things.yaml"))
            manifest["files"][to] = manifest["files"].pop(name)
            return member, json.dumps(manifest).encode()
        if member.name.endswith("things.yaml"):
            member.name = to
        return member, content

    return change


def _edited(member: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return member, b"other" if member.name.endswith("things.yaml") else content


def _without(member: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes] | None:
    return None if member.name.endswith("things.yaml") else (member, content)


def _link(name: str, to: str, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, to
    return entry


def _as_link(kind: bytes) -> Change:
    def change(member: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        return (
            (_link(member.name, "/etc/passwd", kind), b"") if member.name.endswith("things.yaml") else (member, content)
        )

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_manifest(platform="plan9/mips"), "built for plan9/mips"),
        (_manifest(format=2), "format 2"),
        (_manifest(more=1), "no archive of `fleet toolchain pack`"),
        (_renamed("../../evil"), "unexpected member '../../evil'"),
        (_renamed("/evil"), "unexpected member '/evil'"),
        (_renamed("other/bin/evil"), "unexpected member 'other/bin/evil'"),
        (_edited, "things.yaml: sha256 is"),
        (_without, "things.yaml is missing"),
        (_as_link(tarfile.SYMTYPE), "neither a file nor a link"),
        (_as_link(tarfile.LNKTYPE), "neither a file nor a link"),
    ],
)
def test_an_archive_that_is_not_what_it_says_is_refused(
    source: Path, made: Archive, tmp_path: Path, change: Change, why: str
) -> None:
    given = _changed(made, tmp_path / "bad.tar.gz", change)
    _refused(source, tmp_path, given, why)


def test_a_member_that_the_manifest_does_not_name_is_refused(source: Path, made: Archive, tmp_path: Path) -> None:
    given = _changed(made, tmp_path / "bad.tar.gz", _same, tarfile.TarInfo("../evil"))
    _refused(source, tmp_path, given, "unexpected member '../evil'")


def test_a_wrong_hash_no_hash_and_no_file_are_refused(source: Path, made: Archive, tmp_path: Path) -> None:
    _refused(source, tmp_path, (str(made.file), "0" * 64), f"sha256 is {made.sha256}")
    _refused(source, tmp_path, (str(made.file), "abc"), "64 hex digits")
    _refused(source, tmp_path, (str(tmp_path / "none"), made.sha256), "no such file")
    torn = tmp_path / "torn.tar.gz"
    torn.write_bytes(made.file.read_bytes()[:-1000])
    _refused(source, tmp_path, (str(torn), hashlib.sha256(torn.read_bytes()).hexdigest()), "cannot be read")


def test_an_archive_of_other_sources_is_refused(source: Path, made: Archive, tmp_path: Path) -> None:
    other = tmp_path / "toolchain"
    shutil.copytree(source, other)
    (other / "tiny" / "cmd" / "one" / "main.go").write_text("package main\n\nfunc main() { println() }\n")
    _refused(other, tmp_path, (str(made.file), made.sha256), "built from other sources")


def test_a_download_that_fails_leaves_nothing(source: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(FleetError, match="cannot be downloaded") as caught:
        use(source, cache, "http://127.0.0.1:1/archive", "0" * 64)
    assert not isinstance(caught.value, UsageError)
    assert not cache.exists()


def _refused(source: Path, tmp_path: Path, given: tuple[str, str], why: str) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(UsageError, match=re.escape(why)):
        use(source, cache, *given)
    assert not cache.exists()
    assert not (tmp_path / "evil").exists()


def test_a_cache_that_has_the_groups_stays_as_it_is(source: Path, made: Archive, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    ensure(source, cache, lambda _: None)
    before = {path: path.stat().st_ino for path in cache.rglob("*")}
    use(source, cache, str(made.file), made.sha256)
    after = {path: path.stat().st_ino for path in cache.rglob("*") if path.name != store.USED}
    assert after == before


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("Apache License\n      Version 2.0, January 2004", "Apache-2.0"),
        ("Permission is hereby granted, free\nof charge, to any person", "MIT"),
        ("Redistribution and use in source and binary forms ... Neither the name of Google", "BSD-3-Clause"),
        ("Redistribution and use in source and binary forms, with or without", "BSD-2-Clause"),
        ("Mozilla Public License, version 2.0", "MPL-2.0"),
        ("All rights reserved.", "NOASSERTION"),
    ],
)
def test_licences_are_known_by_their_own_words(text: str, licence: str) -> None:
    assert identify([text]) == licence
