from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from fleet.kube import kubeconfig
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.cli.conftest import Fleet
from tests.unit.model.fleets import document as demo_document


@pytest.fixture
async def real(demo: Path) -> Path:
    """The demo fleet with kubeconfigs that a client can use."""
    for path in demo.parent.glob("clusters/*/kubeconfig"):
        path.unlink()
        async with FakeApiServer(path.parent.name, tls=True) as server:
            server.write_kubeconfig(path)
    return demo


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_paths(fleet: Fleet, demo: Path) -> None:
    path = demo.parent / "clusters" / "wec001" / "kubeconfig"
    assert fleet("kubeconfig", "wec001").out == f"{path}\n"
    table = fleet("kubeconfig").out.splitlines()
    assert table[0].split() == ["CLUSTER", "KUBECONFIG"]
    assert [line.split()[0] for line in table[1:]] == ["its1", "wds1", "wec001", "wec002"]
    document = json.loads(fleet("kubeconfig", "-o", "json").out)
    assert document["kind"] == "KubeconfigList"
    assert document["items"][2] == {"cluster": "wec001", "context": "fleet-demo-wec001", "path": str(path)}


async def test_merged_contexts_work_and_nothing_else_changes(fleet: Fleet, real: Path, tmp_path: Path) -> None:
    target = tmp_path / "config"
    target.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: mine\npreferences: {colors: true}\n"
        "contexts: [{name: mine, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://x'}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
    )
    for _ in range(2):  # the second time changes nothing
        ran = fleet("kubeconfig", "--merge", str(target))
        assert (ran.code, ran.out) == (0, f"{target}\n")
    assert target.stat().st_mode & 0o777 == 0o600
    merged = yaml.safe_load(target.read_text())
    assert merged["current-context"] == "mine"
    assert merged["preferences"] == {"colors": True}
    names = ["mine", *(f"fleet-demo-{name}" for name in ("its1", "wds1", "wec001", "wec002"))]
    assert [item["name"] for item in merged["contexts"]] == names
    loaded = kubeconfig.load(target, cluster="wec002", context="fleet-demo-wec002")
    assert loaded.server.startswith("https://127.0.0.1:")
    assert names_in(tmp_path) == ["config", "state", "work"]
    assert names_in(real.parent) == ["clusters", "fleet.json"]


async def test_a_new_file_gets_the_first_context(fleet: Fleet, real: Path, tmp_path: Path) -> None:
    target = tmp_path / "new"
    assert fleet("kubeconfig", "wec001", "--merge", str(target)).code == 0
    assert yaml.safe_load(target.read_text())["current-context"] == "fleet-demo-wec001"
    assert target.stat().st_mode & 0o777 == 0o600
    assert names_in(real.parent) == ["clusters", "fleet.json"]


@pytest.mark.parametrize(
    "text", ["kind: Pod\n", "- a\n", "kind: Config\nusers: 3\n", "a: [", "kind: Config\nkind: Config\n"]
)
def test_a_file_that_is_no_kubeconfig_is_left_alone(fleet: Fleet, demo: Path, tmp_path: Path, text: str) -> None:
    target = tmp_path / "config"
    target.write_text(text)
    ran = fleet("kubeconfig", "--merge", str(target))
    assert (ran.code, ran.out) == (2, "")
    assert str(target) in ran.err
    assert target.read_text() == text
    assert demo.exists()


def test_a_symbolic_link_is_not_written_through(fleet: Fleet, demo: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert fleet("kubeconfig", "--merge", str(tmp_path / "link")).code == 2
    assert not (tmp_path / "elsewhere").exists()
    assert demo.exists()


def test_an_existing_cluster_keeps_its_file_and_context(fleet: Fleet, tmp_path: Path) -> None:
    theirs = tmp_path / "keys" / "config"
    theirs.parent.mkdir()
    theirs.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: other\n"
        "contexts: [{name: east, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://east.example.com', certificate-authority: ca.crt}}]\n"
        "users: [{name: u, user: {tokenFile: token, exec: {command: ./get-token, args: [a/b]}}}]\n"
    )
    theirs.chmod(0o644)  # as users have it
    document = {
        **demo_document(tmp_path / "state" / "taken", wecs=0),
        "clusters": [
            {
                "name": "east",
                "role": "wec",
                "machine": "local",
                "driver": "existing",
                "server": "https://east.example.com",
                "kubeconfig": str(theirs),
                "context": "east",
            }
        ],
    }
    folder = tmp_path / "state" / "taken"
    folder.mkdir(mode=0o700, parents=True)
    (folder / "fleet.json").write_text(json.dumps(document))
    (folder / "fleet.json").chmod(0o600)
    (item,) = json.loads(fleet("kubeconfig", "-o", "json").out)["items"]
    assert (item["path"], item["context"]) == (str(theirs), "east")
    assert fleet("kubeconfig", "--merge", str(tmp_path / "merged")).code == 0
    merged = yaml.safe_load((tmp_path / "merged").read_text())
    assert merged["clusters"][0]["cluster"]["certificate-authority"] == str(theirs.parent / "ca.crt")
    user = merged["users"][0]["user"]
    assert user["tokenFile"] == str(theirs.parent / "token")
    assert user["exec"] == {"command": str(theirs.parent / "get-token"), "args": ["a/b"]}
    stopped = fleet("cluster", "stop", "east")
    assert (stopped.code, "east exists without this fleet" in stopped.err) == (2, True)
