from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import SpecError, UsageError
from fleet.model import fleet_load
from tests.unit.model.fleets import document, write


def refusal(file: Path) -> str:
    with pytest.raises(SpecError) as caught:
        fleet_load.load(file)
    assert caught.value.exit_code == 2
    return str(caught.value).replace(f"{file}: ", "")


def test_a_good_file_loads(tmp_path: Path) -> None:
    fleet = fleet_load.load(write(tmp_path / "demo", document(tmp_path / "demo")))
    assert fleet.name == "demo"
    assert [cluster.name for cluster in fleet.of_role("wec")] == ["wec001", "wec002"]


Spoil = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda d: d.update(format=3), "format: was written by a newer release (this one knows up to 2): update"),
        (lambda d: d.update(name="../x"), "name: '../x' is not a name"),
        (lambda d: d.update(nodes=3), "nodes: unknown field; did you mean `wec_nodes`?"),
        (lambda d: d["clusters"][0].update(name="a/b"), "clusters.0.name: 'a/b' is not a name"),
        (lambda d: d["clusters"][1].update(name="its1"), "clusters.1.name: its1 is also clusters.0: names are unique"),
        (
            lambda d: d["clusters"][2].update(machine="locale"),
            "clusters.2.machine: there is no machine 'locale'; did you",
        ),
        (
            lambda d: d["clusters"][2].update(driver="a driver"),
            "clusters.2.driver: ",
        ),
        (
            lambda d: d["clusters"][3].update(server=d["clusters"][0]["server"]),
            "clusters.3.server: wec002 and its1 are both at https://127.0.0.1:16001: each control plane has a port",
        ),
        (
            lambda d: d["clusters"][0].update(server="https://203.0.113.5:6443"),
            "clusters.0.server: 203.0.113.5 is neither loopback nor a machine of this fleet: add the machine",
        ),
        (
            lambda d: d["clusters"][0].update(server="https://example.com:6443"),
            "clusters.0.server: example.com is neither loopback",
        ),
        (
            lambda d: d["clusters"][0].update(server="http://127.0.0.1:1"),
            "clusters.0.server: 'http://127.0.0.1:1' is not",
        ),
        (
            lambda d: d["clusters"][0].update(server="https://127.0.0.1:0"),
            "clusters.0.server: 'https://127.0.0.1:0' is no",
        ),
        (
            lambda d: d["clusters"][0].update(server="https://127.0.0.1:65536"),
            "clusters.0.server: 'https://127.0.0.1:6553",
        ),
        (
            lambda d: d["clusters"][0].update(server="https://u:p@127.0.0.1:5"),
            "clusters.0.server: 'https://u:p@127.0.0.1",
        ),
        (lambda d: d["machines"].append(d["machines"][0]), "machines.1.name: local is also machines.0"),
        (lambda d: d["machines"][0].update(state_dir="x"), "machines.0.state_dir: 'x' is not absolute"),
        (lambda d: d["machines"][0].update(port=0), "machines.0.port: 0 is not a port"),
        (
            lambda d: d["machines"].extend(
                {"name": n, "address": "10.0.0.1", "connection": "ssh", "state_dir": "/s"} for n in ("m1", "m2")
            ),
            "machines.2.address: 10.0.0.1:22 is machine m1 too: list a machine once",
        ),
        (
            lambda d: d["clusters"][0].update(kubeconfig="/nowhere/kc"),
            "clusters.0.kubeconfig: /nowhere/kc (cluster its1) ",
        ),
    ],
)
def test_refused_with_field_and_mend(tmp_path: Path, spoil: Spoil, said: str) -> None:
    data = document(tmp_path / "demo")
    file = write(tmp_path / "demo", data)
    spoil(data)
    file.write_text(json.dumps(data))
    assert refusal(file).startswith(said)


def test_a_server_on_a_machine_of_the_fleet_is_fine(tmp_path: Path) -> None:
    data = document(tmp_path / "demo")
    data["machines"].append({"name": "m2", "address": "203.0.113.5", "connection": "ssh", "state_dir": "/srv/fleet"})
    data["clusters"][0]["server"] = "https://203.0.113.5:6443"
    data["clusters"][1]["server"] = "https://[::1]:6443"
    assert fleet_load.load(write(tmp_path / "demo", data)).clusters[0].server.endswith(":6443")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622, 0o644])
def test_a_file_that_others_can_touch_is_refused_with_chmod(tmp_path: Path, mode: int) -> None:
    file = write(tmp_path / "demo", document(tmp_path / "demo"))
    file.chmod(mode)
    assert refusal(file) == f"can be read or written by others (mode {mode:04o}): chmod 600 {file}"
    assert file.stat().st_mode & 0o777 == mode


def test_a_kubeconfig_that_others_can_read_is_refused_with_chmod(tmp_path: Path) -> None:
    file = write(tmp_path / "demo", document(tmp_path / "demo"))
    path = tmp_path / "demo" / "clusters" / "wds1" / "kubeconfig"
    path.chmod(0o644)
    assert refusal(file) == (
        f"clusters.1.kubeconfig: {path} (cluster wds1) can be read or written by others (mode 0644): chmod 600 {path}"
    )
    assert fleet_load.load(file, kubeconfigs=False).name == "demo"


def test_symlinks_and_open_folders_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "demo", document(tmp_path / "demo"))
    link = tmp_path / "link.json"
    link.symlink_to(file)
    assert refusal(link) == "is a symbolic link: give the fleet file itself"
    folder = tmp_path / "folder"
    folder.symlink_to(tmp_path / "demo")
    assert "is a symbolic link: give the real folder" in refusal(folder / "fleet.json")
    (tmp_path / "demo").chmod(0o777)
    assert refusal(file) == f"others can write into its folder: chmod 700 {tmp_path / 'demo'}"


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no" / "fleet.json").startswith("does not exist: build the fleet with `fleet up`")
    file = write(tmp_path / "demo", '{"format": 1,\n "name": }')
    assert refusal(file).endswith("`fleet up` writes it again")
    assert f"{file}:2: is not JSON" in refusal(file)
    file.write_text("[]")
    assert refusal(file) == "is not a fleet file (a JSON object)"
    file.write_text('{"name": "a", "name": "b"}')
    assert refusal(file).startswith("name: is given twice")
    file.write_text("[" * 100_000)
    assert refusal(file).startswith("is nested too deeply")
    file.write_bytes(b'"\xff"')
    assert refusal(file).startswith("is not UTF-8")


def test_found_by_name_file_environment_or_alone(tmp_path: Path) -> None:
    environ = {"FLEET_STATE_DIR": str(tmp_path)}
    with pytest.raises(UsageError, match=f"no fleet under {tmp_path}: build one with `fleet up`"):
        fleet_load.find(None, environ)
    demo = write(tmp_path / "demo", document(tmp_path / "demo"))
    assert fleet_load.find(None, environ) == demo
    lab = write(tmp_path / "lab", document(tmp_path / "lab"))
    with pytest.raises(UsageError, match=r"several fleets \(demo, lab\): choose one with --fleet NAME"):
        fleet_load.find(None, environ)
    assert fleet_load.find("lab", environ) == lab
    assert fleet_load.find(None, {**environ, "FLEET_NAME": "lab"}) == lab
    assert fleet_load.find(None, {**environ, "FLEET_NAME": "lab", "FLEET_FILE": str(demo)}) == demo
    assert fleet_load.find("demo", {**environ, "FLEET_NAME": "lab", "FLEET_FILE": str(lab)}) == demo
    assert fleet_load.find("x.json", environ) == Path("x.json")
    assert fleet_load.find("./lab", environ) == Path("lab")
    with pytest.raises(UsageError, match=r"no fleet 'dmo' under .*; did you mean `demo`"):
        fleet_load.find("dmo", environ)


@pytest.mark.parametrize("name", ["..", "Upper", "-a", "a" * 300, "d\N{CYRILLIC SMALL LETTER IE}mo", "a b", "demo\n"])
def test_bad_fleet_names_are_refused_before_a_path_is_built(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"--fleet: .* is not a name: lower-case letters"):
        fleet_load.find(name, {"FLEET_STATE_DIR": str(tmp_path)})
