"""A whole build of a tiny module of our own with the real Go: the cache, the checks, the errors."""

import json
import os
import shutil
from pathlib import Path

import pytest

from fleet.errors import ToolchainError
from fleet.toolchain import BuildProgress, Part, ToolchainMissing, built, catalogue, ensure, golang, locate
from fleet.toolchain.build import explain
from fleet.toolchain.digest import of_groups
from fleet.toolchain.golang import Go
from fleet.toolchain.reuse import FILE

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
def test_what_one_manager_needs_is_built_beside_and_leaves_the_rest_alone(source: Path, tmp_path: Path) -> None:
    cache, steps = tmp_path / "cache", list[BuildProgress]()
    _second_group(source, "    for: [manager:ocm]\n")
    every = ensure(source, cache, steps.append)
    assert set(every.programs) == {"one", "uno"}
    with pytest.raises(ToolchainMissing, match="more"):
        locate(source, cache, ["manager:ocm"])
    before = _everything(every.parts[0].root)
    steps.clear()
    both = ensure(source, cache, steps.append, ["manager:ocm"])
    assert {step.group for step in steps} == {"Go", "more", "ready"}
    assert (set(both.programs), set(both.definitions)) == ({"one", "uno", "two"}, {"things"})
    assert both.parts[0] == every.parts[0]
    assert _everything(every.parts[0].root) == before
    assert locate(source, cache) == every
    assert locate(source, cache, ["manager:ocm", "driver:dense"]) == both == built(source, cache)
    assert both.digest != every.digest


@needs_go
def test_a_changed_group_is_built_alone(source: Path, tmp_path: Path) -> None:
    cache, steps = tmp_path / "cache", list[BuildProgress]()
    _second_group(source)
    first = ensure(source, cache, steps.append)
    (source / "more" / "cmd" / "one" / "main.go").write_text("package main\n\nfunc main() { println() }\n")
    steps.clear()
    second = ensure(source, cache, steps.append)
    assert {step.group for step in steps} == {"Go", "more", "ready"}
    assert {step.estimate for step in steps} == {1.0}
    assert second.parts[0] == first.parts[0]
    assert second.parts[1].root != first.parts[1].root


def _everything(root: Path) -> dict[str, int]:
    """Path to inode of a folder's content: the same after nothing was built or linked again."""
    return {str(path): path.stat().st_ino for path in root.rglob("*")}


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


def _second_group(source: Path, needed_by: str = "") -> None:
    """A group alongside the first."""
    shutil.copytree(source / "tiny", source / "more")
    text = VERSIONS.replace(
        "crds:",
        f"  more:\n    seconds: 1\n{needed_by}    modules: {{more: {{module: tiny.example, version: v2}}}}\n"
        "    packages:\n      ./cmd/one: {two: more}\ncrds:",
    )
    (source / "versions.yaml").write_text(text)


def _of_an_earlier_release(made: Part, source: Path, cache: Path) -> Path:
    """The group moved into a folder as earlier releases had it."""
    digests = of_groups(source, catalogue.load(source), golang.find(cache, "1.26.6"))
    old = made.root.rename(made.root.with_name("0123456789abcdef"))
    (old / FILE).write_text(json.dumps(digests))
    return old


@needs_go
def test_what_an_earlier_release_built_is_not_built_again(source: Path, tmp_path: Path) -> None:
    cache, steps = tmp_path / "cache", list[BuildProgress]()
    old = _of_an_earlier_release(ensure(source, cache, steps.append).parts[0], source, cache)
    steps.clear()
    _second_group(source)
    second = ensure(source, cache, steps.append)
    assert second.versions == {"one": "v1.0.0", "uno": "v1.0.0", "two": "v2"}
    for name in ("one", "uno"):
        assert second.program(name).samefile(old / "bin" / name)
    assert second.crd("things").samefile(old / "crds" / "things.yaml")
    assert {step.group for step in steps} == {"Go", "more", "ready"}
    assert {step.estimate for step in steps} == {1.0}
    assert steps[-1].fraction == 1.0


@needs_go
def test_only_words_of_the_catalogue_changed(source: Path, tmp_path: Path) -> None:
    first = ensure(source, tmp_path / "cache", lambda _: None)
    (source / "versions.yaml").write_text(VERSIONS.replace("seconds: 1", "seconds: 2"))
    assert locate(source, tmp_path / "cache") == first


@needs_go
@pytest.mark.parametrize("broken", ["bin/uno", "crds/things.yaml", FILE, "manifest.json"])
def test_a_damaged_donor_is_built_anew(source: Path, tmp_path: Path, broken: str) -> None:
    old = _of_an_earlier_release(
        ensure(source, tmp_path / "cache", lambda _: None).parts[0], source, tmp_path / "cache"
    )
    (old / broken).unlink()
    (old / broken).write_bytes(b"other")
    second = ensure(source, tmp_path / "cache", lambda _: None)
    assert not second.program("one").samefile(old / "bin" / "one")
    assert second.program("one").samefile(second.program("uno"))


def test_the_digest_of_a_group_covers_all_that_decides_it(source: Path) -> None:
    def now(go: Go = Go(None, "1.26.6", "amd64")) -> str:  # noqa: B008 -- a constant
        return of_groups(source, catalogue.load(source), go)["tiny"]

    plain = now()
    (source / "versions.yaml").write_text(VERSIONS + "  # words\n")
    (source / "tiny" / "one_test.go").write_text("package tiny\n")
    assert now() == plain
    changed = [now(Go(None, "1.26.7", "amd64")), now(Go(None, "1.26.6", "arm64"))]
    for old, new in (("v1.0.0", "v1.0.1"), ("path: things", "path: other"), ("uno: tiny", "due: tiny")):
        (source / "versions.yaml").write_text(VERSIONS.replace(old, new))
        changed.append(now())
    (source / "versions.yaml").write_text(VERSIONS)
    (source / "tiny" / "go.mod").write_text("module tiny.example\n\ngo 1.25.1\n")
    changed.append(now())
    assert len({plain, *changed}) == 1 + len(changed)


@needs_go
def test_what_does_not_compile_leaves_nothing(source: Path, tmp_path: Path) -> None:
    (source / "tiny" / "cmd" / "one" / "main.go").write_text("package main\n\nfunc main() { nothing() }\n")
    with pytest.raises(ToolchainError, match="undefined: nothing"):
        ensure(source, tmp_path / "cache", lambda _: None)
    assert [path.name for path in (tmp_path / "cache" / "toolchain").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        ("go: a.example/b@v1.2.3: reading https://p/a: 403 Forbidden", "a.example/b@v1.2.3 is not to be had"),
        ("go: a.example/b@v1.2.3: Get x: dial tcp: lookup p: no such host", "a.example/b@v1.2.3 is not to be had"),
        (
            "go: downloading a.example/b v1.2.3\nx.go:3:8: module lookup disabled by GOPROXY=off",
            "a.example/b@v1.2.3 is not",
        ),
        ("x.go:3:8: module lookup disabled by GOPROXY=off", "a module is not to be had"),
        ("verifying a.example/b@v1.2.3: checksum mismatch", "not what go.sum says"),
        ("x.go:1:2: undefined: y", "do not compile"),
    ],
)
def test_errors_name_the_module_and_the_fix(words: str, fix: str) -> None:
    assert fix in str(explain(Path("group"), words))
