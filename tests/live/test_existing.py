"""A fleet that takes another one's hub and WECs as they are, by accounts that have only the rights that we print."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.kube.client import KubeClient
from fleet.kube.resources import BINDING_POLICIES, CLUSTER_ROLE_BINDINGS, DEPLOYMENTS, MANIFEST_WORKS, NAMESPACES
from fleet.model.run_names import RUN_LABEL
from tests.live.conftest import FAST, state_folder
from tests.live.lab import Lab, changed
from tests.live.runs import summary, valid

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("existing")]

ROLES = {"its1": "transport", "wds1": "source", "wec001": "wec", "wec002": "wec"}
ACCOUNT = "/api/v1/namespaces/fleet-testbed/serviceaccounts/fleet-testbed/token"
RUN = ["experiment", "run", "wec-scaling", "--wecs", "2", "--repeats", "1", "--set", "warmup=0"]
PLUGIN = """#!/bin/sh
printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}' \
    "$(cat "$(dirname "$0")/wec002.token")"
"""


@dataclass(frozen=True)
class Taken:
    """The fleet that was built, and the one that takes it."""

    theirs: Lab
    ours: Lab
    keys: Path
    """Folder of the kubeconfigs that the first one's owner gives to the second's."""

    def admin(self, cluster: str) -> KubeClient:
        """As its owner."""
        return self.theirs.client(cluster)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    """Two dense WECs with their hub, built; the other fleet is not there yet."""
    keys = tmp_path_factory.mktemp("keys")
    hub = str(keys / "hub")
    variables = {
        "control_plane_driver": "existing",
        "hub_driver": "existing",
        "existing_hub": {
            "its": {"its1": {"kubeconfig": hub, "context": "its1"}},
            "wds": {"wds1": {"kubeconfig": hub, "context": "wds1"}},
        },
        "existing_wecs": {"kubeconfigs": [str(keys / "wec001"), str(keys / "wec002")]},
        **FAST,
    }
    with state_folder() as state, state_folder() as other:
        found = Taken(Lab("t-theirs", state, {"wec_count": 2, **FAST}), Lab("t-ours", other, variables), keys)
        try:
            found.theirs.playbook("site.yml").check()
            asyncio.run(give_rights(found))
            yield found
        finally:
            found.ours.playbook("playbooks/teardown.yml")
            found.theirs.playbook("playbooks/teardown.yml")


async def give_rights(taken: Taken) -> None:
    """What the owner does: apply what `fleet rbac` prints, and hand out tokens of that account alone."""
    tokens = {}
    for name, role in ROLES.items():
        printed = taken.theirs.fleet("rbac", "--role", role).check().out
        async with taken.admin(name) as admin:
            for manifest in yaml.safe_load_all(printed):
                await admin.apply(await admin.resource_for(manifest), manifest)
            request = {
                "kind": "TokenRequest",
                "apiVersion": "authentication.k8s.io/v1",
                "spec": {"expirationSeconds": 3600},
            }
            answer = await admin.request("POST", ACCOUNT, body=request)
            tokens[name] = answer.json()["status"]["token"]
    write(taken, "hub", {name: {"token": tokens[name]} for name in ("its1", "wds1")})
    (taken.keys / "wec001.token").write_text(tokens["wec001"])
    write(taken, "wec001", {"wec001": {"tokenFile": "wec001.token"}})
    (taken.keys / "wec002.token").write_text(tokens["wec002"])
    program = taken.keys / "get-token"
    program.write_text(PLUGIN)
    program.chmod(0o755)
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./get-token", "interactiveMode": "Never"}
    write(taken, "wec002", {"wec002": {"exec": plugin}})


def write(taken: Taken, file: str, users: Mapping[str, Any]) -> None:
    """A kubeconfig with a context for each of these clusters."""
    clusters = []
    for name in users:
        text = (taken.theirs.folder / "clusters" / name / "kubeconfig").read_text(encoding="utf-8")
        clusters.append({"name": name, "cluster": yaml.safe_load(text)["clusters"][0]["cluster"]})
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(users)),
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in users],
        "clusters": clusters,
        "users": [{"name": name, "user": user} for name, user in users.items()],
    }
    path = taken.keys / file
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    path.chmod(0o600)


def test_it_is_taken_and_the_second_time_changes_nothing(taken: Taken) -> None:
    assert changed(taken.ours.playbook("site.yml", "--check", "--diff").check()) > 0
    assert not taken.ours.folder.exists()
    assert changed(taken.ours.playbook("site.yml").check()) > 0
    assert changed(taken.ours.playbook("site.yml").check()) == 0
    assert changed(taken.ours.playbook("site.yml", "--check", "--diff").check()) == 0
    assert not taken.ours.processes()
    status = json.loads(taken.ours.fleet("status", "--fleet", "t-ours", "-o", "json").check().out)
    assert {(item["name"], item["driver"], item["ready"]) for item in status["items"]} == {
        (name, "existing", True) for name in ROLES
    }
    assert {item["registered"] for item in status["items"] if item["role"] == "wec"} == {"Available"}
    path = taken.ours.fleet("kubeconfig", "wec002", "--fleet", "t-ours").check().out
    assert path == f"{taken.keys / 'wec002'}\n"
    assert (
        "exists without this fleet" in taken.ours.fleet("cluster", "stop", "wec001", "--fleet", "t-ours").check(2).err
    )


def test_a_right_that_is_missing_is_named_and_nothing_is_changed(taken: Taken, tmp_path: Path) -> None:
    async def binding(*, there: bool) -> None:
        async with taken.admin("wec002") as admin:
            if not there:
                await admin.delete(CLUSTER_ROLE_BINDINGS, "fleet-testbed-wec")
                return
            for manifest in yaml.safe_load_all(taken.theirs.fleet("rbac", "--role", "wec").out):
                await admin.apply(await admin.resource_for(manifest), manifest)

    asyncio.run(binding(there=False))
    ran = taken.ours.fleet(*RUN, "--fleet", "t-ours", "--results", str(tmp_path)).check(2)
    asyncio.run(binding(there=True))
    assert "wec002 (wec): may not" in ran.err
    assert "create, delete, list, watch namespaces" in ran.err
    assert "wec001" not in ran.err
    assert list(tmp_path.iterdir()) == []


def test_an_experiment_runs_and_leaves_nothing(taken: Taken, tmp_path: Path) -> None:
    path = valid(taken.ours, taken.ours.fleet(*RUN, "--fleet", "t-ours", "--results", str(tmp_path)))
    rows = [row for row in summary(path) if row["stage"] == "downsync"]
    assert {row["layout"] for row in rows} == {"one-to-one", "one-to-many"}
    assert all(row["missing"] == 0 for row in rows)
    asyncio.run(nothing_is_left(taken))


async def nothing_is_left(taken: Taken) -> None:
    """Of any run, in any cluster; asked as their owner."""
    kinds = {
        "source": (NAMESPACES, DEPLOYMENTS, BINDING_POLICIES),
        "transport": (NAMESPACES,),
        "wec": (NAMESPACES, DEPLOYMENTS),
    }
    for name, role in ROLES.items():
        async with taken.admin(name) as admin:
            for kind in kinds[role]:
                assert await admin.list_all(kind, label_selector=RUN_LABEL) == [], f"{name}: {kind}"
            if role == "transport":
                works = await admin.list_all(MANIFEST_WORKS)
                assert not [work for work in works if RUN_LABEL in json.dumps(work)]


def test_taken_down_without_a_trace_and_theirs_is_untouched(taken: Taken) -> None:
    keys = {path: path.read_bytes() for path in taken.keys.iterdir()}
    taken.ours.playbook("playbooks/teardown.yml").check()
    assert not taken.ours.folder.exists()
    assert {path: path.read_bytes() for path in taken.keys.iterdir()} == keys
    taken.theirs.fleet("status", "--fleet", "t-theirs").check()
    assert changed(taken.theirs.playbook("site.yml").check()) == 0
