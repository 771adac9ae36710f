from __future__ import annotations

from dataclasses import replace

from fleet.cli.console import Ink, clean
from fleet.cli.status_model import ClusterRow, MachineRow, ProgramRow, Status
from fleet.cli.status_view import page, problems
from tests.unit.cli.conftest import golden

MIB = 1 << 20


def cluster(name: str, role: str, port: int, **changes: object) -> ClusterRow:
    driver = "dense" if role == "wec" else "process"
    row = ClusterRow(name, role, driver, "local", f"https://127.0.0.1:{port}", ready=True)
    if role == "wec":
        row = replace(row, registered="Available", nodes=1, nodes_ready=1)
    return replace(row, **changes)  # type: ignore[arg-type]


def program(name: str, pid: int, pss: int, **changes: object) -> ProgramRow:
    component, _, owner = name.partition(".")
    row = ProgramRow(name, component, owner, "local", "RUNNING", pid, 3907.0, 0.012, pss * MIB, 57, "v1.34.4")
    return replace(row, **changes)  # type: ignore[arg-type]


def status(wecs: int) -> Status:
    names = [f"wec{number:03d}" for number in range(1, wecs + 1)]
    clusters = [cluster("its1", "its", 16001), cluster("wds1", "wds", 16004)]
    clusters += [cluster(name, "wec", 16010 + index) for index, name in enumerate(names)]
    programs = [program("dense.0", 4001, 812, cpu=0.31), program("kube-apiserver.its1", 4002, 401, cpu=1.4)]
    for index, name in enumerate(names):
        programs += [program(f"kwok.{name}", 5000 + index, 31), program(f"ocm-agent.{name}", 6000 + index, 48)]
    programs.append(program("transport.wds1", 7001, 62))
    return Status(
        fleet="demo",
        file="fleet.json",
        created="2026-01-02T03:04:05Z",
        toolchain="0123456789abcdef",
        manager="kubestellar v0.30.0",
        clusters=clusters,
        programs=sorted(programs, key=lambda row: row.name),
        machines=[MachineRow("local", looked=True, total=24 << 30, available=18 << 30)],
        terms={"its": "ITS", "wds": "WDS", "wec": "WEC"},
    )


def ailing() -> Status:
    well = status(3)
    clusters = [
        *well.clusters[:2],
        replace(
            well.clusters[2],
            ready=False,
            problem="no answer from /readyz",
            registered="Unknown",
            unregistered="nobody renews its lease",
            nodes_ready=0,
        ),
        replace(well.clusters[3], registered="Joined", unregistered="its ManagedCluster is joined, not yet available"),
        replace(well.clusters[4], nodes_ready=0),
    ]
    programs = [replace(row, state="FATAL", pid=0) if row.name == "ocm-agent.wec001" else row for row in well.programs]
    return replace(
        well, clusters=clusters, programs=programs, machines=[*well.machines, MachineRow("m2", looked=False)]
    )


def test_a_small_fleet_that_is_well() -> None:
    assert page(status(3), Ink(), width=80) == golden("status.txt")
    assert status(3).problems() == []


def test_a_fleet_that_is_not_well() -> None:
    found = ailing()
    text = page(found, Ink(), width=80) + "---\n" + problems(found.problems(), Ink()) + "\n"
    assert text == golden("status-ailing.txt")


def test_without_a_manager_there_is_nothing_to_register_at() -> None:
    wecs = [replace(row, registered="") for row in status(2).clusters if row.role == "wec"]
    found = replace(status(2), clusters=wecs, terms={})
    lines = page(found, Ink(), width=80).splitlines()
    assert lines[0] == "fleet demo: 2/2 clusters ready, 7/7 programs running"
    assert lines[4].split() == ["wec001", "WEC", "dense", "local", "yes", "-", "1/1"]
    assert found.problems() == []


def test_colour_changes_no_letter_and_no_column() -> None:
    coloured = page(ailing(), Ink(colour=True), width=80)
    assert clean(coloured) == page(ailing(), Ink(), width=80)
    assert coloured == golden("status-ailing.ansi")


def test_wide() -> None:
    assert page(status(2), Ink(), width=80, wide=True) == golden("status-wide.txt")


def test_many_programs_are_told_by_component() -> None:
    text = page(status(30), Ink(), width=80)
    programs = text.partition("PROGRAM")[2]
    assert "PROGRAM" + programs == golden("status-many.txt")
    assert max(len(line) for line in text.splitlines()) <= 80


def test_at_most_ten_problems_are_listed() -> None:
    lines = problems([f"x{n}" for n in range(14)], Ink()).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "not well: and 4 more"


def test_the_json_document_says_whether_all_is_well() -> None:
    assert status(1).document()["well"] is True
    document = ailing().document()
    assert document["well"] is False
    assert len(document["problems"]) == 4
    assert document["programs_pss"] == (812 + 401 + 3 * 31 + 3 * 48 + 62) * MIB
