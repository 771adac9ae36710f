"""Clusters that exist already: named by kubeconfigs or contexts, recorded, nothing of them copied or reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.errors import UsageError
from fleet.inventory.existing import existing_clusters
from fleet.inventory.record import FILE, RecordSpec, begin_record, forget, write_record
from fleet.model.fleet_file import FleetFile, Machine
from fleet.model.fleet_load import load


def kubeconfig(file: Path, *contexts: str, server: str = "https://{}.example.com") -> Path:
    """One with these contexts, the first of them current; each at a server of its own."""
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": contexts[0],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in contexts],
        "clusters": [
            {"name": name, "cluster": {"server": server.format(name.lower().rsplit("/")[-1])}} for name in contexts
        ],
        "users": [{"name": "me", "user": {"exec": {"command": "/no/such/plugin"}}}],
    }
    file.write_text(yaml.safe_dump(document))
    file.chmod(0o600)
    return file


def named(variables: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {c.name: (c.role, c.context, c.server) for c in existing_clusters(variables, "localhost")}


def test_wecs_by_files_a_folder_or_contexts(tmp_path: Path) -> None:
    east = kubeconfig(tmp_path / "set" / "east.yaml", "admin@kubernetes", server="https://10.0.0.1:6443")
    kubeconfig(tmp_path / "set" / "west.yaml", "admin@kubernetes", server="https://10.0.0.2:6443")
    (tmp_path / "set" / ".hidden").write_text("no kubeconfig")
    found = {
        "east": ("wec", "admin@kubernetes", "https://10.0.0.1:6443"),
        "west": ("wec", "admin@kubernetes", "https://10.0.0.2:6443"),
    }
    assert named({"existing_wecs": {"kubeconfigs": [str(tmp_path / "set")]}}) == found
    assert named({"existing_wecs": {"kubeconfigs": [str(east)], "names": {"east.yaml": "wec001"}}}) == {
        "wec001": found["east"]
    }
    both = kubeconfig(tmp_path / "config", "arn:aws:eks/Prod", "west")
    variables = {"kubeconfigs": [str(both)], "contexts": ["west", "arn:aws:eks/Prod"]}
    with pytest.raises(UsageError, match=r"'arn:aws:eks/Prod' cannot be the name of a cluster: give it one, names"):
        named({"existing_wecs": variables})
    assert named({"existing_wecs": {**variables, "names": {"arn:aws:eks/Prod": "prod"}}}).keys() == {"west", "prod"}


def test_what_is_refused(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", "a", "b")
    other = kubeconfig(tmp_path / "more" / "a", "a")
    for variables, said in (
        ({"kubeconfigs": ["config"]}, "must be an absolute path"),
        ({"kubeconfigs": [str(tmp_path / "none")]}, "does not exist"),
        ({"kubeconfigs": [str(file)], "contexts": ["c"]}, "'c', which contexts does not have; there: a, b"),
        ({"kubeconfigs": [str(file)], "names": {"x": "y"}}, "names: there is no x; there: config"),
        ({"kubeconfigs": [str(file), str(other)], "names": {"config": "a"}}, "two clusters are called a"),
        ({"kubeconfigs": [str(file), str(other)]}, "a and config are the same cluster, https://a.example.com"),
    ):
        with pytest.raises(UsageError, match=said):
            named({"existing_wecs": variables})


def variables(tmp_path: Path) -> dict[str, Any]:
    hub = str(kubeconfig(tmp_path / "hub", "its", "wds"))
    return {
        "existing_hub": {
            "its": {"its1": {"kubeconfig": hub, "context": "its"}},
            "wds": {"wds1": {"kubeconfig": hub, "context": "wds"}},
        },
        "existing_wecs": {"kubeconfigs": [str(kubeconfig(tmp_path / "wecs" / "east", "east"))]},
    }


def spec(tmp_path: Path, **given: Any) -> RecordSpec:
    machine = Machine(name="localhost", state_dir=str(tmp_path / "state" / "b"))
    return RecordSpec(fleet="b", root=tmp_path / "state" / "b", machines=(machine,), toolchain_digest="", **given)


def test_they_are_recorded_and_forgotten(tmp_path: Path) -> None:
    given = variables(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert begin_record(spec(tmp_path, variables=given)).changed
    assert not write_record(spec(tmp_path, variables=given)).changed
    assert not begin_record(spec(tmp_path, variables=given)).changed
    assert not write_record(spec(tmp_path, variables=given), check=True).changed
    write_record(spec(tmp_path, variables=given))
    fleet = load(tmp_path / "state" / "b" / FILE)
    assert [c.name for c in (*fleet.sources(), *fleet.transports(), *fleet.wecs())] == ["wds1", "its1", "east"]
    assert {(c.driver, c.machine) for c in fleet.clusters} == {("existing", "localhost")}
    assert (fleet.components, fleet.state) == ([], "built")
    forget(tmp_path / "state" / "b")
    left = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == before


def test_the_hub_must_have_the_manager_s_roles(tmp_path: Path) -> None:
    given = variables(tmp_path)
    del given["existing_hub"]["its"]
    with pytest.raises(UsageError, match="existing_hub: kubestellar has clusters of the roles its, wds, not wds"):
        write_record(spec(tmp_path, variables=given))


def test_a_fleet_that_was_built_does_not_become_one_of_others(tmp_path: Path) -> None:
    machine = spec(tmp_path).machines[0]
    folder = Path(machine.state_dir) / "clusters" / "wec001"
    folder.mkdir(parents=True)
    plane = '{"name": "wec001", "role": "wec", "driver": "dense", "server": "https://127.0.0.1:1"}'
    (folder / "plane.json").write_text(plane)
    with pytest.raises(UsageError, match=r"this fleet has built wec001, .* take it down first"):
        write_record(spec(tmp_path, variables=variables(tmp_path)))


def test_the_record_names_files_and_no_secret(tmp_path: Path) -> None:
    write_record(spec(tmp_path, variables=variables(tmp_path)))
    fleet = FleetFile.model_validate_json((tmp_path / "state" / "b" / FILE).read_bytes())
    assert {c.kubeconfig for c in fleet.clusters} == {str(tmp_path / "hub"), str(tmp_path / "wecs" / "east")}
    assert not (tmp_path / "state" / "b" / "kubeconfigs").exists()
