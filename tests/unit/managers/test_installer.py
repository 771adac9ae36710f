"""Managers as they are installed: found by name, their planes, what a machine remembers, and how one is dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.errors import UsageError
from fleet.host.machine import Machine
from fleet.install.upstream import UpstreamFolders
from fleet.managers import installed
from fleet.managers.installer import Site, Way, installer, known
from fleet.model.client_limits import ClientLimits
from fleet.model.variables import Variables

UPSTREAM = UpstreamFolders((Path("/TOOLCHAIN/bin"),), check=True)


def machine_of(root: Path) -> Machine:
    return Machine("demo", root / "demo", UPSTREAM)


def test_every_manager_is_a_package_with_an_installer() -> None:
    assert known() == ["karmada", "kubefleet", "kubestellar", "multikueue", "none", "ocm"]
    with pytest.raises(UsageError, match="manager: 'clusternet' is not one of karmada, kubefleet,"):
        installer("clusternet")


@pytest.mark.parametrize(
    ("manager", "planes", "dialled", "signing"),
    [
        ("none", [], [], []),
        ("ocm", ["hub1 hub"], ["hub1"], ["hub1"]),
        ("karmada", ["karmada1 hub"], ["karmada1"], []),
        ("kubefleet", ["kubefleet1 hub"], ["kubefleet1"], []),
        ("multikueue", ["multikueue1 hub"], [], []),
        ("kubestellar", ["its1 its", "its2 its", "wds1 wds", "wds2 wds"], ["its1", "its2"], ["its1", "its2"]),
    ],
)
def test_the_planes_of_a_hub(manager: str, planes: list[str], dialled: list[str], signing: list[str]) -> None:
    found = installer(manager).planes(Variables(manager=manager, its_count=2, wds_count=2))
    assert [f"{plane.name} {plane.role}" for plane in found] == planes
    assert [plane.name for plane in found if plane.dialled] == dialled
    assert [plane.name for plane in found if plane.signs] == signing


@pytest.mark.parametrize("manager", known())
def test_limits_are_variables(manager: str) -> None:
    assert set(installer(manager).limits) <= ClientLimits.model_fields.keys()


def test_all_client_limits_belong_to_some_manager() -> None:
    assert {name for manager in known() for name in installer(manager).limits} == ClientLimits.model_fields.keys()


def test_plain_ocm_has_nothing_of_kubestellar() -> None:
    folder = Path(installed.__file__).parent / "ocm"
    assert not [
        file.name for file in folder.rglob("*.py") if "managers.kubestellar" in file.read_text(encoding="utf-8")
    ]


def test_a_machine_remembers_its_manager_until_it_is_dropped(tmp_path: Path) -> None:
    machine = machine_of(tmp_path)
    machine.root.mkdir(parents=True, mode=0o700)
    assert installed.installed(machine.layout) == ""
    installed.begin(machine, "ocm")
    for folder in ("hub", "agents/wec001", "agents-its2/wec001", "clusters/wec001"):
        (machine.root / folder).mkdir(parents=True)
    assert installed.agents_of(machine.root) == 2
    for owner in ("hub", "placing.hub1", "ocm-agent.wec001", "wec001"):
        machine.take(owner, 1, in_use=False)
    assert installed.installed(machine.layout) == "ocm"
    change = installed.drop(machine, installer("ocm"))
    assert change.before == {"manager": "ocm"}
    assert installed.installed(machine.layout) == ""
    assert sorted(path.name for path in machine.root.iterdir()) == ["clusters"]
    assert [block.owner for block in machine.registry.blocks("demo")] == ["wec001"]
    assert not installed.drop(machine, installer("ocm")).changed


def test_a_machine_of_an_older_release_has_the_manager_that_there_was(tmp_path: Path) -> None:
    machine = machine_of(tmp_path)
    (machine.root / "hub").mkdir(parents=True)
    assert installed.installed(machine.layout) == "kubestellar"


def test_a_machine_without_members_has_nothing_to_leave(tmp_path: Path) -> None:
    site = Site(machine_of(tmp_path), UPSTREAM)
    for name in known():
        assert not installer(name).leave(site, Way()).changed


def test_programs_are_looked_for_in_every_folder(tmp_path: Path) -> None:
    for folder, name in (("one", "work"), ("two", "placement")):
        (tmp_path / folder / "bin").mkdir(parents=True)
        (tmp_path / folder / "crds").mkdir()
        (tmp_path / folder / "bin" / name).touch(mode=0o755)
        (tmp_path / folder / "crds" / f"{name}s.yaml").touch()
    both = UpstreamFolders.of([tmp_path / "one" / "bin", tmp_path / "two" / "bin"], check=False)
    assert both.program("placement") == tmp_path / "two" / "bin" / "placement"
    assert both.crd("works") == tmp_path / "one" / "crds" / "works.yaml"
    with pytest.raises(Exception, match=r"one/bin, .*two/bin: no executable absent"):
        both.program("absent")
