"""Patched copies of a small module of our own, from a module proxy of files, with the real Go."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from fleet.errors import ToolchainError
from fleet.toolchain import ensure
from fleet.toolchain.patches import MODULES

REPO = Path(__file__).parents[3]
UPSTREAM = """\
package greeting

// Of greets.
func Of(name string) string { return "upstream greets " + name }
"""
OURS = """\
package greeting

func Of(name string) string { return "we say that " + upstreamOf(name) }
"""
MAIN = """\
package main

import (
	"fmt"

	"up.example/greeting"
)

func main() { fmt.Print(greeting.Of("you")) }
"""
VERSIONS = """\
go_wheel: 1.26.6
groups:
  tiny:
    seconds: 1
    modules: {up: {module: up.example, version: v1.0.0}}
    packages:
      ./cmd/one: {one: up}
    patches:
      - {module: up.example, file: greeting/greeting.go, function: Of, sha256: "SUM", ours: _patches/greeting.go}
crds: {}
"""
SUM = "f8edc239d385"
pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="the wheel of Go is not installed for a unit test")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `toolchain/` with one group, which requires one module and patches it."""
    for name, value in {
        "GOPROXY": f"file://{tmp_path}/proxy",
        "GOMODCACHE": str(tmp_path / "modcache"),
        "GONOSUMDB": "*",
        "GONOSUMCHECK": "1",
        "GOFLAGS": "-modcacherw",
    }.items():
        monkeypatch.setenv(name, value)
    _publish(tmp_path / "proxy", UPSTREAM)
    folder = tmp_path / "source"
    shutil.copytree(REPO / "toolchain" / "patch", folder / "patch")
    for name, text in {
        "versions.yaml": VERSIONS.replace("SUM", SUM),
        "tiny/go.mod": "module tiny.example\n\ngo 1.25.0\n\nrequire up.example v1.0.0\n",
        "tiny/go.sum": "",
        "tiny/cmd/one/main.go": MAIN,
        "tiny/_patches/greeting.go": OURS,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    subprocess.run(
        ["go", "mod", "tidy"], cwd=folder / "tiny", check=True, env={**os.environ, "GOWORK": "off"}, capture_output=True
    )
    return folder


def _publish(proxy: Path, text: str) -> None:
    """The module as a proxy serves it."""
    place = proxy / "up.example" / "@v"
    place.mkdir(parents=True)
    (place / "list").write_text("v1.0.0\n")
    (place / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (place / "v1.0.0.mod").write_text("module up.example\n\ngo 1.25.0\n")
    with zipfile.ZipFile(place / "v1.0.0.zip", "w") as archive:
        for name, content in {
            "go.mod": "module up.example\n\ngo 1.25.0\n",
            "greeting/greeting.go": text,
            "greeting/greeting_test.go": "package greeting\n",
            "greeting/testdata/large.json": "{}",
        }.items():
            archive.writestr(f"up.example@v1.0.0/{name}", content)


def _says(program: Path) -> str:
    return subprocess.run([str(program)], check=True, capture_output=True, text=True, timeout=30).stdout


def test_our_function_is_in_the_program_and_calls_upstreams(source: Path, tmp_path: Path) -> None:
    made = ensure(source, tmp_path / "cache", lambda _: None)
    assert _says(made.program("one")) == "we say that upstream greets you"
    (copy,) = (tmp_path / "cache" / MODULES).glob("up.example-*")
    assert (copy / "greeting" / "zz_fleet_greeting.go").read_text() == OURS
    assert not list(copy.rglob("*_test.go"))
    assert not (copy / "greeting" / "testdata").exists()
    assert "upstreamOf" not in (tmp_path / "modcache" / "up.example@v1.0.0" / "greeting" / "greeting.go").read_text()


def test_a_copy_is_made_once_for_what_decides_it(source: Path, tmp_path: Path) -> None:
    ensure(source, tmp_path / "cache", lambda _: None)
    (first,) = (tmp_path / "cache" / MODULES).glob("up.example-*")
    stamp = (first / "greeting" / "greeting.go").stat().st_mtime_ns
    (source / "tiny" / "cmd" / "one" / "main.go").write_text(MAIN.replace('"you"', '"them"'))
    second = ensure(source, tmp_path / "cache", lambda _: None)
    assert _says(second.program("one")) == "we say that upstream greets them"
    assert list((tmp_path / "cache" / MODULES).glob("up.example-*")) == [first]
    assert (first / "greeting" / "greeting.go").stat().st_mtime_ns == stamp
    (source / "tiny" / "_patches" / "greeting.go").write_text(OURS.replace("we say", "we shout"))
    third = ensure(source, tmp_path / "cache", lambda _: None)
    assert _says(third.program("one")) == "we shout that upstream greets them"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (SUM, "0" * 12, f"its sha256 is {SUM}"),
        ("function: Of", "function: For", "declared 0 times"),
        ("greeting/greeting.go,", "greeting/moved.go,", "no such file"),
        ("_patches/greeting.go", "_patches/gone.go", "there is no"),
    ],
)
def test_upstream_that_changed_ends_the_build(source: Path, tmp_path: Path, old: str, new: str, words: str) -> None:
    file = source / "versions.yaml"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(ToolchainError, match=words) as failure:
        ensure(source, tmp_path / "cache", lambda _: None)
    assert "tiny: " in str(failure.value)
    assert ("For" if "For" in new else "Of") in str(failure.value)
    assert not list((tmp_path / "cache" / MODULES).glob("*up.example*"))
    assert not list((tmp_path / "cache" / MODULES).glob(".partial-*"))


def test_the_digest_of_a_group_covers_its_patches(source: Path, tmp_path: Path) -> None:
    first = ensure(source, tmp_path / "cache", lambda _: None)
    program = source / "patch" / "main.go"
    program.write_text(program.read_text() + "\n// another patcher\n")
    second = ensure(source, tmp_path / "cache", lambda _: None)
    assert not second.program("one").samefile(first.program("one"))
