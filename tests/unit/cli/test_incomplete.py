"""A fleet that site.yml has not completed is looked at by what its machine has by now."""

from __future__ import annotations

import json
from pathlib import Path

from fleet.cli.incomplete import as_it_is_now
from fleet.host.layout import Layout
from fleet.host.supervisor_config import Program, render_group
from fleet.model import fleet_load
from tests.unit.cli.conftest import Fleet
from tests.unit.model.fleets import document, write


def half_built(folder: Path) -> Path:
    """A fleet file that knows no control plane, alongside one that runs and one that is not far enough; the fleet
    file."""
    data = {**document(folder), "clusters": [], "components": [], "state": "building"}
    file = write(folder, data)
    layout = Layout(folder)
    for name, port in (("its1", 16001), ("wds1", 16004)):
        layout.cluster(name).mkdir(parents=True)
        plane = {"name": name, "role": name[:3], "driver": "process", "server": f"https://127.0.0.1:{port}"}
        (layout.cluster(name) / "plane.json").write_text(json.dumps(plane), encoding="utf-8")
    layout.kubeconfig("its1").write_text("kind: Config\n", encoding="utf-8")
    (layout.supervisor / "conf.d").mkdir(parents=True)
    program = Program("kube-apiserver.wds1", ("/t/kube-apiserver", "--secure-port=16004"))
    (layout.supervisor / "conf.d" / "hub.conf").write_text(render_group([program], layout), encoding="utf-8")
    layout.log.mkdir()
    layout.program_log("kube-apiserver.wds1").write_text("Error: unknown flag: --nope\n", encoding="utf-8")
    return file


def test_what_is_there_by_now_is_known(tmp_path: Path) -> None:
    fleet = fleet_load.load(half_built(tmp_path / "state" / "lab"), kubeconfigs=False)
    now = as_it_is_now(fleet)
    assert [cluster.name for cluster in now.clusters] == ["its1"]
    assert [component.program for component in now.components] == ["kube-apiserver.wds1"]
    complete = fleet.model_copy(update={"state": "built"})
    assert as_it_is_now(complete) == complete


def test_the_log_of_the_program_that_failed_can_be_read(fleet: Fleet, tmp_path: Path) -> None:
    half_built(tmp_path / "state" / "lab")
    ran = fleet("logs", "kube-apiserver.wds1")
    assert (ran.code, ran.out) == (0, "Error: unknown flag: --nope\n"), ran.err


def test_doctor_names_the_task(fleet: Fleet, tmp_path: Path) -> None:
    half_built(tmp_path / "state" / "lab")
    ran = fleet("doctor")
    assert "the fleet lab is not complete: site.yml was ended before its first task" in ran.out
