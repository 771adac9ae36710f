"""What a user can get wrong on a command line: exit code 2, the field or file named, and nothing changed on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Fleet
from tests.unit.model.fleets import document

RUN = ["experiment", "run", "wec-scaling.yaml"]


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of everything below, symbolic links as they are."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "work" / "wec-scaling.yaml"
    file.write_text("experiment: wec-scaling\n")
    return file


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*RUN, "--wecs", "50"], "wecs: 50 WECs are requested, the fleet has 2: lower --wecs, or grow it"),
        ([*RUN, "--wecs", "0"], "--wecs: wecs.0: should be greater than or equal to 1, not 0"),
        ([*RUN, "--wecs", "1,1"], "--wecs: wecs: each WEC count once"),
        ([*RUN, "--wecs", "-1"], "--wecs '-1': write counts such as 1,5,10, or all"),
        ([*RUN, "--layout", "one-to-two"], "--layout: layouts.0: must be 'one-to-one' or 'one-to-many'"),
        ([*RUN, "--objects", "0"], "--objects: workload.objects: should be greater than or equal to 1, not 0"),
        ([*RUN, "--objects", "1000000"], "workload.objects: should be less than or equal to 10000, not 1000000"),
        ([*RUN, "--objects", "x"], "--objects"),
        ([*RUN, "--repeats", "-1"], "--repeats: repeats: should be greater than or equal to 1, not -1"),
        (
            [*RUN, "--workload", "daemonset"],
            "workload.kind: must be 'deployment', 'pod' or 'configmap', not 'daemonset'",
        ),
        ([*RUN, "--set", "repeat=1"], "repeat: unknown field; did you mean `repeats`?"),
        ([*RUN, "--set", "workload.kindd=pod"], "workload.kindd: unknown field; did you mean `kind`?"),
        ([*RUN, "--set", "quiet=5"], "--set quiet: quiet: 5 has no unit"),
        ([*RUN, "--set", "quiet=1s"], "quiet: 1 s is not more than twice"),
        ([*RUN, "--set", "name=../../x"], "--set name: name: '../../x' is not a name"),
        ([*RUN, "--set", "nonsense"], "write FIELD=VALUE"),
        ([*RUN, "--set", "layouts=[]"], "--set layouts: layouts: name at least one layout"),
        ([*RUN, "--layout", "one-to-one", "--layout", "one-to-one"], "--layout: layouts: each layout once"),
        ([*RUN, "--set", "seed=-1"], "seed: should be greater than or equal to 0, not -1"),
        ([*RUN, "--set", "seed=9223372036854775808"], "seed: should be less than 9223372036854775808"),
        ([*RUN, "--set", "repeats=.nan"], "repeats: should be a finite number, not nan"),
        ([*RUN, "--set", "thresholds=[{stage: downsync, test: p99 < abc}]"], "'abc' is not a duration"),
        ([*RUN, "--set", "thresholds=[{stage: downsync, test: missing <= -1}]"], "'-1' is not a count"),
        ([*RUN, "--set", "thresholds=[{stage: dawnsync, test: p99 < 2s}]"], "'dawnsync' is no stage; did you mean"),
        ([*RUN, "--wecs", "1", "--results", "wec-scaling.yaml"], "wec-scaling.yaml: is not a folder; choose another"),
        (["runs", "--results", "wec-scaling.yaml"], "wec-scaling.yaml: is not a folder; name the folder"),
        (["report", "--results", "wec-scaling.yaml"], "wec-scaling.yaml: is not a folder|holds no run"),
        (["experiment", "run", "absent.yaml"], "absent.yaml: does not exist"),
        (["experiment", "run", "../.."], "cannot be read|not a plain file"),
        (["experiment", "run", "nope"], "there is no experiment 'nope'"),
        (["experiment", "show", "Bad Name"], "is no name of an experiment"),
        ([*RUN, "--fleet", "nope"], "there is no fleet 'nope'"),
        ([*RUN, "--fleet", "UPPER"], "--fleet: 'UPPER' is not a name"),
        ([*RUN, "--fleet", "x" * 300], "--fleet: 'xxx"),
        ([*RUN, "--fleet", "\N{CYRILLIC SMALL LETTER DE}emo"], "--fleet: '\\u0434emo' is not a name"),
        (["status", "--fleet", "absent/fleet.json"], "absent/fleet.json: does not exist: build the fleet"),
        (["status", "-o", "yaml"], "yaml"),
        (["logs", "wec09"], "there is no cluster or program 'wec09'; did you mean `wec002`?|did you mean"),
        (["logs", "../../secret"], "there is no cluster or program '../../secret'"),
        (["logs", "wec001", "-n", "-5"], "--lines"),
        (["kubeconfig", "wec9"], "the fleet demo has no cluster 'wec9'"),
        (["kubeconfig", "--merge", "absent/config"], "absent is no folder: make it first"),
        (["cluster", "stop", "a/b"], "the fleet demo has no cluster 'a/b'"),
        (["cluster", "stop", "wec001"], "there is no control plane wec001"),
        (["report", "nope"], "there is no run 'nope' in results"),
        (["report", "./nope"], "No such file or directory"),
        (["doctor", "--wecs", "0"], "--wecs"),
    ],
)
def test_bad_words(fleet: Fleet, demo: Path, spec: Path, tmp_path: Path, words: list[str], said: str) -> None:
    before = tree(tmp_path)
    ran = fleet(*words)
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert any(part in ran.err for part in said.split("|")), ran.err
    assert len(ran.err.splitlines()) <= 2, ran.err
    assert "Traceback" not in ran.err
    assert tree(tmp_path) == before
    assert demo.exists()
    assert spec.exists()


COMMANDS = (["status"], [*RUN, "--wecs", "1"], ["experiment", "plan", "wec-scaling.yaml"], ["experiment", "clean"])


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize(
    ("path", "mode", "said"),
    [
        ("fleet.json", 0o644, "fleet.json: can be read or written by others (mode 0644): chmod 600 "),
        (
            "clusters/wec002/kubeconfig",
            0o640,
            "(cluster wec002) can be read or written by others (mode 0640): chmod 600 ",
        ),
        ("clusters/its1/kubeconfig", None, "(cluster its1) does not exist: build it again with `fleet up`"),
        ("fleet.json", None, "there is no fleet under"),
    ],
)
def test_files_that_others_can_read_or_that_are_gone(
    fleet: Fleet, demo: Path, spec: Path, tmp_path: Path, words: list[str], path: str, mode: int | None, said: str
) -> None:
    target = demo.parent / path
    target.unlink() if mode is None else target.chmod(mode)
    before = tree(tmp_path)
    ran = fleet(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert tree(tmp_path) == before
    assert spec.exists()


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("https://203.0.113.7:6443", "clusters.0.server: 203.0.113.7 is neither loopback nor a machine of this fleet"),
        ("https://127.0.0.1:16004", "its1 are both at"),
        ("https://127.0.0.1:65536", "is not https://address:port"),
        ("https://127.0.0.1:0", "is not https://address:port"),
    ],
)
def test_servers_that_must_not_be_loaded(
    fleet: Fleet, demo: Path, spec: Path, words: list[str], server: str, said: str
) -> None:
    data = document(demo.parent)
    data["clusters"][0]["server"] = server
    demo.write_text(json.dumps(data))
    ran = fleet(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert spec.exists()


def kubeconfig(cluster: str, user: str) -> str:
    return (
        "kind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n"
        f"clusters: [{{name: a, cluster: {{{cluster}}}}}]\nusers: [{{name: a, user: {{{user}}}}}]\n"
    )


LOOPBACK = "server: 'https://127.0.0.1:1'"


@pytest.mark.parametrize("words", [["status"], [*RUN, "--wecs", "1"]])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: Config\n", "current-context"),
        ("", "empty"),
        (kubeconfig(f"{LOOPBACK}, insecure-skip-tls-verify: true", "token: t"), "insecure-skip-tls-verify"),
        (kubeconfig(LOOPBACK, "exec: {command: touch}"), "exec"),
        (kubeconfig("server: 'http://127.0.0.1:1'", "token: t"), "https://"),
        (kubeconfig("server: 'https://203.0.113.7:6443'", "token: t"), "203.0.113.7 is neither loopback"),
    ],
)
def test_kubeconfigs_that_must_not_be_used(
    fleet: Fleet, demo: Path, spec: Path, words: list[str], text: str, said: str
) -> None:
    for path in demo.parent.glob("clusters/*/kubeconfig"):
        path.write_text(text)
    ran = fleet(*words)
    assert (ran.code, ran.out) == (2, "")
    assert str(demo.parent / "clusters") in ran.err
    assert said in ran.err
    assert not (spec.parent / "results").exists()


def test_precedence_flag_environment_file_default(fleet: Fleet, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def repeats(*words: str) -> int:
        return int(json.loads(fleet("experiment", "show", str(spec), "-o", "json", *words).out)["repeats"])

    assert repeats() == 3
    spec.write_text("experiment: wec-scaling\nrepeats: 4\n")
    assert repeats() == 4
    monkeypatch.setenv("FLEET_REPEATS", "5")
    assert repeats() == 5
    assert repeats("--repeats", "6") == 6
