"""A whole build of a tiny module of our own with the real Go: the cache, the checks, the errors."""

import os
import shutil
from pathlib import Path

import pytest

from fleet.errors import ToolchainError
from fleet.toolchain import BuildProgress, ToolchainMissing, catalogue, ensure, locate
from fleet.toolchain.build import explain
from fleet.toolchain.golang import Go
from fleet.toolchain.reuse import FILE, digests

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
    cache = tmp_path / "cache"
    shutil.copytree(source / "tiny", source / "more")
    more = VERSIONS[VERSIONS.index("  tiny:\n") : VERSIONS.index("crds:")].replace(
        "tiny:\n", "more:\n    managers: [ocm]\n", 1
    )
    more = more.replace("one: tiny, uno: tiny", "two: tiny")
    (source / "versions.yaml").write_text(VERSIONS.replace("crds:\n", f"{more}crds:\n"))
    every = ensure(source, cache, [].append)
    assert set(every.programs) == {"one", "uno"}
    with pytest.raises(ToolchainMissing):
        locate(source, cache, "ocm")
    beside = ensure(source, cache, [].append, "ocm")
    assert set(beside.programs) == {"two"}
    assert beside.definitions == {}
    assert locate(source, cache) == every
    assert locate(source, cache, "ocm") == beside


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


def _second_group(source: Path) -> None:
    """A group beside the first, as a new version of the project would bring it."""
    shutil.copytree(source / "tiny", source / "more")
    text = VERSIONS.replace(
        "crds:",
        "  more:\n    seconds: 1\n    modules: {more: {module: tiny.example, version: v2}}\n"
        "    packages:\n      ./cmd/one: {two: more}\ncrds:",
    )
    (source / "versions.yaml").write_text(text)


@needs_go
def test_a_group_that_did_not_change_is_not_built_again(source: Path, tmp_path: Path) -> None:
    cache, steps = tmp_path / "cache", list[BuildProgress]()
    first = ensure(source, cache, steps.append)
    (first.root / FILE).unlink()  # as of a build before groups were written down
    assert ensure(source, cache, steps.append) == first
    steps.clear()
    _second_group(source)
    second = ensure(source, cache, steps.append)
    assert second.root != first.root
    assert second.versions == {"one": "v1.0.0", "uno": "v1.0.0", "two": "v2"}
    for name in ("one", "uno"):
        assert second.program(name).samefile(first.program(name))
    assert second.crd("things").samefile(first.crd("things"))
    assert {step.group for step in steps} == {"Go", "more", "CRDs"}
    assert {step.estimate for step in steps} == {1.0}
    assert steps[-1].fraction == 1.0


@needs_go
def test_only_words_of_the_catalogue_changed(source: Path, tmp_path: Path) -> None:
    first = ensure(source, tmp_path / "cache", lambda _: None)
    (source / "versions.yaml").write_text(VERSIONS.replace("seconds: 1", "seconds: 2"))
    steps = list[BuildProgress]()
    second = ensure(source, tmp_path / "cache", steps.append)
    assert second.root != first.root
    assert second.program("one").samefile(first.program("one"))
    assert [(step.group, step.fraction) for step in steps] == [("Go", 1.0), ("CRDs", 1.0)]


@needs_go
@pytest.mark.parametrize("broken", ["bin/uno", "crds/things.yaml", FILE, "manifest.json"])
def test_a_damaged_donor_is_built_anew(source: Path, tmp_path: Path, broken: str) -> None:
    first = ensure(source, tmp_path / "cache", lambda _: None)
    (first.root / broken).unlink()
    (first.root / broken).write_bytes(b"other")
    _second_group(source)
    second = ensure(source, tmp_path / "cache", lambda _: None)
    assert not second.program("one").samefile(first.program("one"))
    assert second.program("one").samefile(second.program("uno"))


def test_the_digest_of_a_group_covers_all_that_decides_it(source: Path) -> None:
    def now(go: Go = Go(None, "1.26.6", "amd64")) -> str:  # noqa: B008 -- a constant
        return digests(source, catalogue.load(source), go)["tiny"]

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
    ("words", "mend"),
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
def test_errors_name_the_module_and_the_mend(words: str, mend: str) -> None:
    assert mend in str(explain(Path("group"), words))
