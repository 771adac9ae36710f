from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from fleet.cli.console import Ink
from fleet.cli.doctor_checks import examine
from fleet.cli.findings import Finding, failed, page
from fleet.host.ports import Registry
from tests.unit.cli.conftest import Fleet, golden
from tests.unit.model.fleets import document, write

FINDINGS = [
    Finding("limits", "ok", "room for a new fleet of 20 WECs"),
    Finding("fleet demo", "fail", "4 clusters, but its supervisor does not run", "`fleet up` starts it again"),
    Finding("disk", "warn", "2.0 GiB free", "free some"),
]


def test_the_page() -> None:
    assert page(FINDINGS, Ink()) == golden("doctor.txt")
    assert failed(FINDINGS)
    assert not failed([FINDINGS[0], FINDINGS[2]])


def found(check: str) -> Finding:
    return next(finding for finding in examine(1) if finding.check == check)


def test_a_machine_without_fleets(tmp_path: Path) -> None:
    assert found("fleets").level == "ok"
    assert found("ports").level == "ok"
    assert not (tmp_path / "state").exists()


def test_programs_of_the_frontend_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    lacks = found("ui-load")
    assert (lacks.level, lacks.fix) == ("ok", "apt-get install nodejs npm chromium")
    for name in ("node", "npm", "google-chrome"):
        (tmp_path / name).touch(0o755)
    assert not found("ui-load").fix


def test_a_fleet_that_does_not_run_and_one_that_is_half_built(demo: Path) -> None:
    dead = found("fleet demo")
    assert (dead.level, "does not run" in dead.found) == ("fail", True)
    assert "fleet down --fleet demo" in dead.fix
    (demo.parents[1] / "half" / "pki").mkdir(parents=True)
    assert found("fleet half").level == "warn"
    open_to_all = write(demo.parents[1] / "lax", document(demo.parents[1] / "lax"))
    open_to_all.chmod(0o644)
    assert "chmod 600" in found("fleet lax").found


def test_ports_of_fleets_that_are_gone_and_ports_in_the_hands_of_others(demo: Path) -> None:
    root = demo.parents[1]
    registry = Registry(root)
    block = registry.take("demo", "its1", 3)
    with socket.create_server(("127.0.0.1", block.port(1))):
        taken = found("ports")
    assert taken.level == "warn"
    assert str(block.port(1)) in taken.found
    registry.take("gone", "its1", 3)
    lost = found("ports")
    assert (lost.level, "gone" in lost.found) == ("warn", True)
    assert "fleet down --fleet gone" in lost.fix


def test_a_need_that_no_machine_meets_fails_with_numbers(fleet: Fleet) -> None:
    ran = fleet("doctor", "--wecs", "1000", "-o", "json")
    assert ran.code == 1
    items = json.loads(ran.out)["items"]
    assert any(item["level"] == "fail" and "needed" in item["found"] and item["fix"] for item in items)
