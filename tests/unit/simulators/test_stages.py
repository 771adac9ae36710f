"""kwok's stages as it reads them: which pod ends how, and how often a node reports. tests/live tries them on a kwok."""

from __future__ import annotations

import json

from fleet.simulators.kwok.stages import EXIT_CODE, LIFETIME, STAGES, config

BY_NAME = {stage["metadata"]["name"]: stage["spec"] for stage in STAGES}


def test_all_stages_of_both_kinds_are_ours() -> None:
    kinds = {name: spec["resourceRef"]["kind"] for name, spec in BY_NAME.items()}
    assert kinds == {
        "pod-ready": "Pod",
        "pod-complete-job": "Pod",
        "pod-complete-lifetime": "Pod",
        "pod-delete": "Pod",
        "node-ready": "Node",
        "node-status": "Node",
    }
    assert [json.loads(text)["metadata"]["name"] for text in config().split("---\n")] == list(kinds)


def test_a_job_s_pod_with_a_lifetime_has_one_way_to_end() -> None:
    def operator(stage: str) -> list[str]:
        expressions = BY_NAME[stage]["selector"]["matchExpressions"]
        return [each["operator"] for each in expressions if LIFETIME in each["key"]]

    assert operator("pod-complete-job") == ["DoesNotExist"]
    assert operator("pod-complete-lifetime") == ["Exists"]


def test_both_ways_to_end_take_the_exit_code() -> None:
    for name in ("pod-complete-job", "pod-complete-lifetime"):
        template = BY_NAME[name]["next"]["statusTemplate"]
        assert f'"{EXIT_CODE}"' in template
        assert "exitCode: {{ $code }}" in template
        assert "exitCode: 0" not in template


def test_a_node_reports_as_often_as_a_kubelet_does() -> None:
    delay = BY_NAME["node-status"]["delay"]
    # nodeStatusReportFrequency is 5 minutes: 0.2 reports a minute, at most a tenth fewer.
    assert (delay["durationMilliseconds"], delay["jitterDurationMilliseconds"]) == (300_000, 330_000)
