"""`fleet up` and `fleet down` with real playbooks, small ones, through the real ansible-runner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet.experiment.hold import held
from fleet.model.build_progress import BuildLog
from tests.unit.cli.conftest import Fleet
from tests.unit.model.fleets import document, write

PLAY = """
- name: Build
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Note what was asked
      ansible.builtin.copy:
        content: "{{ {'fleet_name': fleet_name | default(''), 'wec_count': wec_count | default(0)} | to_json }}"
        dest: "{{ playbook_dir }}/asked.json"
        mode: "0600"
    - name: Fail on request
      ansible.builtin.fail:
        msg: "no room on this\\e[31m machine"
      when: wec_count | default(1) | int == 99
"""
ROLE = """
- name: Refuse
  ansible.builtin.assert:
    that: wec_count | int > 0
    fail_msg: "wec_count: {{ wec_count }} is not from 1 to 1000"
    quiet: true
"""
TEARDOWN = """
- name: Remove
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Remove the folder
      ansible.builtin.file:
        path: "{{ fleet_state_dir }}/{{ fleet_name }}"
        state: absent
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of its own in the folder that tests run in."""
    folder = tmp_path / "work"
    (folder / "playbooks").mkdir()
    (folder / "roles" / "preflight" / "tasks").mkdir(parents=True)
    (folder / "roles" / "preflight" / "tasks" / "main.yml").write_text(ROLE)
    (folder / "site.yml").write_text(PLAY)
    (folder / "playbooks" / "teardown.yml").write_text(TEARDOWN)
    return folder


def test_up_passes_variables_with_their_types(fleet: Fleet, project: Path) -> None:
    ran = fleet("up", "-e", "wec_count=3", "--fleet", "lab")
    assert ran.code == 0, ran.err
    assert json.loads((project / "asked.json").read_text()) == {"fleet_name": "lab", "wec_count": 3}
    assert ran.out == ""
    assert "changed Note what was asked (localhost)" in ran.err
    assert "1 changed; look at it with `fleet status`" in ran.err


def test_up_takes_variables_from_a_file(fleet: Fleet, project: Path, tmp_path: Path) -> None:
    limits = tmp_path / "limits.yml"
    limits.write_text("fleet_name: lab\nwec_count: 3\n")
    assert fleet("up", "-e", f"@{limits}", "-e", "wec_count=5").code == 0
    assert json.loads((project / "asked.json").read_text()) == {"fleet_name": "lab", "wec_count": 5}


def test_up_takes_a_mapping_as_ansible_does(fleet: Fleet, project: Path) -> None:
    assert fleet("up", "-e", '{"fleet_name": "lab", wec_count: 4}', "-e", "{wec_count: 5}").code == 0
    assert json.loads((project / "asked.json").read_text()) == {"fleet_name": "lab", "wec_count": 5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "limits.yml: does not exist"),
        ("- wec_count\n", "limits.yml: holds no variables: write lines such as"),
        ("wec_count: 3\nWec: 3\n", "limits.yml:2: 'Wec' is not the name of a variable"),
    ],
)
def test_a_bad_file_of_variables_runs_no_playbook(
    fleet: Fleet, project: Path, tmp_path: Path, text: str | None, said: str
) -> None:
    limits = tmp_path / "limits.yml"
    if text is not None:
        limits.write_text(text)
    ran = fleet("up", "-e", f"@{limits}")
    assert ran.code == 2
    assert said in ran.err
    assert not (project / "asked.json").exists()


def test_a_failed_task_is_told_without_escapes(fleet: Fleet, project: Path) -> None:
    ran = fleet("up", "-e", "wec_count=99")
    assert ran.code == 1
    assert "error: localhost: Fail on request: no room on this machine" in ran.err
    assert project.exists()


def test_what_preflight_refuses_is_wrong_input(fleet: Fleet, project: Path) -> None:
    (project / "site.yml").write_text("- {name: Check, hosts: localhost, gather_facts: false, roles: [preflight]}\n")
    ran = fleet("up", "-e", "wec_count=0")
    assert ran.code == 2
    assert "wec_count: 0 is not from 1 to 1000" in ran.err
    assert not (project / "asked.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-e", "wec_count"], "-e 'wec_count': write NAME=VALUE"),
        (["-e", "Wec=3"], "-e 'Wec=3': write NAME=VALUE"),
        (["-e", "wec_count=!!python/object:x"], "-e wec_count:1: has the tag"),
        (["-e", "{Wec: 3}"], "-e '{Wec: 3}':1: 'Wec' is not the name of a variable"),
        (["-e", "{wec_count: 3"], "-e '{wec_count: 3'"),
        (["-e", "fleet_name=../x"], "fleet_name: '../x' is not a name"),
        (["--fleet", "a/b"], "--fleet: 'a/b' is not a name"),
        (["-i", "nowhere/hosts.yml"], "the inventory nowhere/hosts.yml does not exist"),
    ],
)
def test_bad_words_run_no_playbook(fleet: Fleet, project: Path, words: list[str], said: str) -> None:
    ran = fleet("up", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not (project / "asked.json").exists()


def test_down_removes_a_fleet(fleet: Fleet, project: Path, demo: Path) -> None:
    ran = fleet("down", "--fleet", "demo", "--yes")
    assert ran.code == 0, ran.err
    assert not demo.parent.exists()
    assert "demo is down" in ran.err
    assert project.exists()
    assert fleet("down", "--fleet", "demo").code == 0


def test_down_takes_the_half_built_and_the_broken(fleet: Fleet, project: Path, tmp_path: Path) -> None:
    half = tmp_path / "state" / "half"
    (half / "pki").mkdir(parents=True)
    assert fleet("down", "--yes").code == 0
    assert not half.exists()
    broken = write(tmp_path / "state" / "broken", "{")
    ran = fleet("down", "--yes")
    assert ran.code == 0
    assert "warning: " in ran.err
    assert not broken.parent.exists()
    assert project.exists()


def test_down_of_what_is_absent_is_fine(fleet: Fleet, tmp_path: Path) -> None:
    for words in ((), ("--fleet", "nope"), ("--fleet", "nope/fleet.json")):
        ran = fleet("down", *words)
        assert (ran.code, ran.out) == (0, "")
        assert "nothing to take down" in ran.err
    assert not (tmp_path / "state").exists()


def test_down_asks_which_and_never_follows_a_stranger(fleet: Fleet, project: Path, demo: Path) -> None:
    lab = write(demo.parents[1] / "lab", document(demo.parents[1] / "lab"))
    ran = fleet("down", "--yes")
    assert ran.code == 2
    assert "several fleets (demo, lab)" in ran.err
    lab.chmod(0o666)
    ran = fleet("down", "--yes", "--fleet", "lab")
    assert ran.code == 2
    assert "chmod 600" in ran.err
    assert lab.exists()
    assert project.exists()


def given(folder: Path, **changes: object) -> Path:
    """A fleet that was built with -e."""
    values = {"format": 2, "manager": {"name": "none"}, "given": {"wec_count": 20}, **changes}
    return write(folder, {n: v for n, v in document(folder).items() if n != "status_agent"} | values)


def test_up_keeps_what_earlier_words_have_set(fleet: Fleet, project: Path, tmp_path: Path) -> None:
    given(tmp_path / "state" / "lab")
    assert fleet("up", "--fleet", "lab").code == 0
    assert json.loads((project / "asked.json").read_text()) == {"fleet_name": "lab", "wec_count": 20}
    assert fleet("up", "--fleet", "lab", "-e", "wec_count=6").code == 0
    assert json.loads((project / "asked.json").read_text()) == {"fleet_name": "lab", "wec_count": 6}
    assert fleet("up", "--fleet", "lab", "--reset").code == 0
    assert json.loads((project / "asked.json").read_text()) == {"fleet_name": "lab", "wec_count": 0}


def test_up_takes_the_recorded_inventory_and_finds_the_name_in_one(fleet: Fleet, project: Path, tmp_path: Path) -> None:
    hosts = tmp_path / "work" / "mine.yml"
    local = 'ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"'
    hosts.write_text(f"all: {{hosts: {{localhost: {{{local}, fleet_name: lab}}}}}}\n")
    given(tmp_path / "state" / "lab", inventory=str(hosts))
    assert fleet("up", "-i", str(hosts)).code == 0
    assert json.loads((project / "asked.json").read_text()) == {"fleet_name": "lab", "wec_count": 20}
    (project / "asked.json").unlink()
    given(tmp_path / "state" / "other", inventory=str(hosts), given={"wec_count": 7})
    hosts.write_text(f"all: {{hosts: {{localhost: {{{local}, fleet_name: other}}}}}}\n")
    assert fleet("up", "--fleet", "other").code == 0
    assert json.loads((project / "asked.json").read_text()) == {"fleet_name": "other", "wec_count": 7}


def test_up_never_believes_a_file_that_others_could_write(fleet: Fleet, project: Path, tmp_path: Path) -> None:
    given(tmp_path / "state" / "lab").chmod(0o666)
    ran = fleet("up", "--fleet", "lab")
    assert ran.code == 2
    assert "chmod 600" in ran.err
    assert not (project / "asked.json").exists()


def test_down_waits_for_an_experiment_unless_it_is_forced(fleet: Fleet, project: Path, demo: Path) -> None:
    with held(demo.parent, "wec-scaling 20261128T180000Z"):
        ran = fleet("down", "--fleet", "demo", "--yes")
        assert ran.code == 2
        assert "an experiment holds the fleet demo: wec-scaling 20261128T180000Z (process " in ran.err
        assert demo.exists()
        assert fleet("down", "--fleet", "demo", "--yes", "--force").code == 0
    assert not demo.exists()
    assert project.exists()


def test_an_incomplete_fleet_is_shown_and_removed_and_runs_no_experiment(
    fleet: Fleet, project: Path, tmp_path: Path
) -> None:
    file = given(tmp_path / "state" / "lab", state="building", clusters=[], components=[])
    log = BuildLog(file.parent)
    assert log.open()
    log.task("Control planes", "Converge")
    assert "site.yml is under way, in the play 'Control planes', task 'Converge'" in fleet("status").err
    log.failed("Control planes", "Converge", "localhost", "no room")
    log.failed("Record", "Write", "localhost", "nor here")
    log.close()
    why = "site.yml failed in the play 'Control planes', task 'Converge' on localhost: no room"
    ran = fleet("status")
    assert ran.code == 1
    assert why in ran.out
    assert why in ran.err
    (project / "wec-scaling.yaml").write_text("experiment: wec-scaling\n")
    ran = fleet("experiment", "run", "wec-scaling.yaml")
    assert ran.code == 2
    assert why in ran.err
    assert fleet("down", "--yes").code == 0
    assert not file.parent.exists()


def test_a_build_that_was_killed_is_not_under_way(fleet: Fleet, tmp_path: Path) -> None:
    file = given(tmp_path / "state" / "lab", state="building", clusters=[], components=[])
    log = BuildLog(file.parent)
    assert log.open()
    assert not BuildLog(file.parent).open()
    log.task("Hub", "Converge")
    log.close()  # the kernel does the same for a process that dies
    assert "site.yml was ended in the play 'Hub', task 'Converge'" in fleet("status").err
