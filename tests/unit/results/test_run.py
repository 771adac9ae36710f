"""run.json: round trip, older and newer, damaged; and what must not be published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet.errors import UsageError
from fleet.results.machine import clock_info, machine_facts
from fleet.results.run import load_run, without_paths
from tests.unit.report.made import fleet_file, run_record


def test_round_trip(tmp_path: Path) -> None:
    record = run_record("x", 3, status="partial", reasons=["interrupted by SIGINT"])
    path = tmp_path / "run.json"
    path.write_text(record.model_dump_json())
    assert load_run(path) == record


def test_what_ended_an_older_run_is_read_from_its_reasons(tmp_path: Path) -> None:
    raw = json.loads(run_record("x", 3, status="partial").model_dump_json())
    del raw["endings"]
    raw["reasons"] = ["interrupted by SIGINT", "ended early: x", "the events could not be written: y", "3 gaps"]
    path = tmp_path / "run.json"
    path.write_text(json.dumps(raw))
    kinds = [(ending.kind, ending.text) for ending in load_run(path).endings]
    assert kinds == list(zip(("interrupted", "failed", "unwritten"), raw["reasons"], strict=False))


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text('{"format": 3}')
    with pytest.raises(UsageError, match="format 3 is newer"):
        load_run(path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"run\.json"):
        load_run(path)


def test_a_wrong_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    raw = json.loads(run_record("x", 1).model_dump_json())
    raw["spec"]["repeats"] = 0
    path.write_text(json.dumps(raw))
    with pytest.raises(UsageError, match=r"run\.json: spec\.repeats: "):
        load_run(path)


def test_no_folder_of_a_user_is_published() -> None:
    fleet = fleet_file(2)
    home = "/home/somebody/.local/state/fleet/f"
    named = fleet.model_validate_json(fleet.model_dump_json().replace("$STATE", home))
    assert home in named.model_dump_json()
    assert without_paths(named) == fleet


def test_of_an_absolute_inventory_and_the_home_folder_little_is_left(tmp_path: Path) -> None:
    fleet = fleet_file(1)
    program = fleet.components[0].model_copy(update={"argv": [f"{tmp_path}/.cache/fleet/bin/etcd", "--x"]})
    named = fleet.model_copy(
        update={"inventory": f"{tmp_path}/checkout/inventories/localhost", "components": [program]}
    )
    published = without_paths(named, tmp_path)
    assert published.inventory == "inventories/localhost"
    assert published.components[0].argv == ["~/.cache/fleet/bin/etcd", "--x"]
    assert str(tmp_path) not in published.model_dump_json()


def test_machine_facts_of_made_up_files(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "sys/fs/inotify").mkdir(parents=True)
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Example CPU @ 2 GHz\n")
    (tmp_path / "meminfo").write_text("MemTotal:       1024 kB\n")
    (tmp_path / "sys/fs/inotify/max_user_instances").write_text("128\n")
    (tmp_path / "pressure/cpu").write_text("some avg10=1.00 avg60=2.50 avg300=3.00 total=1\nfull avg10=0 avg60=9\n")
    facts = machine_facts(tmp_path)
    assert (facts.cpu_model, facts.memory_bytes, facts.inotify_instances) == ("Example CPU @ 2 GHz", 1 << 20, 128)
    assert facts.pressure == {"cpu": 2.5}
    assert facts.cores >= 1


def test_the_clock_is_the_one_that_events_are_stamped_with() -> None:
    first, second = clock_info(), clock_info()
    assert 0 < first.monotonic_ns <= second.monotonic_ns
    assert first.resolution_ns >= 1
