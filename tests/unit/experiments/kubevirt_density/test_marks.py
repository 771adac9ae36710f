"""Which marks versions of VMIs, VMs and pods have reached."""

from __future__ import annotations

import json
from pathlib import Path

from fleet.experiments.kubevirt_density import marks, upstream


def vmi(phase: str, **status: object) -> dict[str, object]:
    return {"metadata": {"name": "a"}, "status": {"phase": phase, **status}}


def test_a_vmi_that_skipped_a_phase_has_reached_it_too() -> None:
    assert list(marks.of_vmi({"metadata": {"name": "a"}})) == []
    assert list(marks.of_vmi(vmi("Pending"))) == ["pending"]
    assert list(marks.of_vmi(vmi("Scheduled", nodeName="n1"))) == ["pending", "scheduling", ("scheduled", "n1")]


def test_a_vmi_that_failed_and_one_that_is_deleted() -> None:
    assert list(marks.of_vmi(vmi("Failed"))) == ["failed"]
    gone = {"metadata": {"name": "a", "deletionTimestamp": "x"}, "status": {"phase": "Running", "nodeName": "n"}}
    assert list(marks.of_vmi(gone))[-1] == "deleting"
    ended = {**gone, "status": {"phase": "Failed"}}
    assert list(marks.of_vmi(ended)) == ["deleting"]


def test_one_that_was_ready_and_is_not_and_is_again() -> None:
    read = marks.VmiMarks()

    def version(status: str, **meta: str) -> list[object]:
        conditions = [{"type": "Ready", "status": status}]
        return list(read({"metadata": {"uid": "u", **meta}, "status": {"conditions": conditions}}))

    assert version("False") == []  # not ready yet
    assert version("True") == []
    assert version("False", deletionTimestamp="x") == ["deleting"]
    assert version("False") == ["unready"]
    assert version("True") == ["ready-again"]


def test_a_vm_and_its_pod() -> None:
    status = {"printableStatus": "Running", "ready": True}
    assert list(marks.of_vm({"metadata": {}, "status": status})) == ["running", "ready"]
    pod = {"metadata": {}, "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}}
    assert list(marks.of_pod(pod)) == [("bound", "n1"), "running"]
    assert list(marks.of_pod({"metadata": {}, "spec": {}})) == []


def test_what_the_audit_tool_said_is_read_by_its_names(tmp_path: Path) -> None:
    assert upstream.audit_figures(tmp_path, "t000") == {}
    (tmp_path / "raw").mkdir()
    said = {"Values": {"vmiCreationToRunningSecondsP50": {"value": 7.5}}}
    (tmp_path / "raw" / upstream.said_of("t000")).write_text(json.dumps(said))
    assert upstream.audit_figures(tmp_path, "t000") == {"vmiCreationToRunningSecondsP50": 7.5}
