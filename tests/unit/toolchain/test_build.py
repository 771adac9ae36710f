"""A whole build of a tiny module of our own with the real Go: the cache, the checks, the errors."""

import os
import shutil
from pathlib import Path

import pytest

from fleet.errors import ToolchainError
from fleet.toolchain import BuildProgress, ToolchainMissing, ensure, locate
from fleet.toolchain.build import explain

VERSIONS = """\
go_wheel: 1.26.6
groups:
  tiny:
    seconds: 1
    modules: {tiny: {module: tiny.example, version: v1.0.0}}
    packages:
      ./cmd/one: {one: tiny, uno: tiny}
crds:
  things: {group: tiny, module: tiny.example, path: things.yaml}
"""
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="the wheel of Go is not installed for a unit test")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    command = folder / "tiny" / "cmd" / "one"
    command.mkdir(parents=True)
    (folder / "versions.yaml").write_text(VERSIONS)
    (folder / "tiny" / "go.mod").write_text("module tiny.example\n\ngo 1.25.0\n")
    (folder / "tiny" / "things.yaml").write_text("kind: CustomResourceDefinition\n")
    (command / "main.go").write_text("package main\n\nfunc main() {}\n")
    return folder


@needs_go
def test_built_once_then_found(source: Path, tmp_path: Path) -> None:
    cache, steps = tmp_path / "cache", list[BuildProgress]()
    with pytest.raises(ToolchainMissing, match="fleet toolchain build"):
        locate(source, cache)
    (cache / "toolchain" / ".partial-dead").mkdir(parents=True)
    made = ensure(source, cache, steps.append)
    assert made.versions == {"one": "v1.0.0", "uno": "v1.0.0"}
    assert made.program("one").samefile(made.program("uno"))
    assert made.crd("things").read_text() == "kind: CustomResourceDefinition\n"
    assert made.crds() == (made.crd("things"),)
    assert steps[0].fraction == 0.0
    assert steps[-1].fraction == 1.0
    assert not list((cache / "toolchain").glob(".partial-*"))

    steps.clear()
    assert ensure(source, cache, steps.append) == made == locate(source, cache)
    assert steps == []

    (source / "tiny" / "cmd" / "one" / "main.go").write_text("package main\n\nfunc main() { println() }\n")
    with pytest.raises(ToolchainMissing):
        locate(source, cache)


@needs_go
def test_a_changed_or_missing_file_is_not_used(source: Path, tmp_path: Path) -> None:
    made = ensure(source, tmp_path / "cache", lambda _: None)
    os.chmod(made.program("one"), 0o755)  # noqa: PTH101, S103 -- a program
    made.program("one").write_bytes(b"other")
    with pytest.raises(ToolchainError, match=r"sha256 is [0-9a-f]{64}, the manifest says [0-9a-f]{64}"):
        locate(source, tmp_path / "cache")
    made.program("one").unlink()
    with pytest.raises(ToolchainError, match="missing"):
        locate(source, tmp_path / "cache")


@needs_go
def test_what_does_not_compile_leaves_nothing(source: Path, tmp_path: Path) -> None:
    (source / "tiny" / "cmd" / "one" / "main.go").write_text("package main\n\nfunc main() { nothing() }\n")
    with pytest.raises(ToolchainError, match="undefined: nothing"):
        ensure(source, tmp_path / "cache", lambda _: None)
    assert [path.name for path in (tmp_path / "cache" / "toolchain").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        ("go: a.example/b@v1.2.3: reading https://p/a: 403 Forbidden", "a.example/b@v1.2.3 is not to be had"),
        ("go: a.example/b@v1.2.3: Get x: dial tcp: lookup p: no such host", "a.example/b@v1.2.3 is not to be had"),
        ("verifying a.example/b@v1.2.3: checksum mismatch", "not what go.sum says"),
        ("x.go:1:2: undefined: y", "do not compile"),
    ],
)
def test_errors_name_the_module_and_the_mend(words: str, mend: str) -> None:
    assert mend in str(explain(Path("group"), words))
