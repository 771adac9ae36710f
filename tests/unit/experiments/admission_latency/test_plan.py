"""admission-latency: every set comes right after a baseline, rules are broken one at a time, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fleet.errors import UsageError
from fleet.experiment.runner import plan
from fleet.experiments.admission_latency.experiment import EXPERIMENT
from fleet.experiments.admission_latency.pods import pod
from fleet.experiments.admission_latency.rules import POD_SECURITY, SINGLE
from fleet.experiments.admission_latency.sets import SETS
from fleet.experiments.admission_latency.spec import AdmissionLatency
from fleet.experiments.admission_latency.trial import calls
from fleet.kube.resources import ADMISSION_POLICIES
from fleet.model.fleet_file import FleetFile, PlatformOf
from fleet.platforms.kyverno.names import VALIDATING_POLICIES
from tests.unit.experiment.plain_fleets import PlainFleet


def spec(**fields: Any) -> AdmissionLatency:
    return AdmissionLatency.model_validate({"experiment": "admission-latency", **fields})


def file(folder: Path) -> FleetFile:
    platform = PlatformOf(name="kyverno", version="v1.19.1", wecs=("wec001",))
    return PlainFleet(folder, 1).file().model_copy(update={"platforms": (platform,), "wec_nodes": 1})


def test_every_set_has_a_baseline_of_its_own_right_before_it(tmp_path: Path) -> None:
    chosen = spec(sets=["native", "pod-security"], clients=[10], rates=[50], repeats=2)
    trials = plan(file(tmp_path), EXPERIMENT, chosen)
    assert [trial.policies for trial in trials] == ["none", "native", "none", "pod-security"] * 4
    assert [trial.repeat for trial in trials] == [0] * 4 + [1] * 4 + [0] * 4 + [1] * 4
    assert (trials[0].point, trials[-1].point) == ("policies=none clients=10", "policies=pod-security rate=50")
    assert (trials[0].load.rate, trials[-1].load.rate) == (0, 50)


def test_a_fleet_without_kyverno_or_nodes_is_refused(tmp_path: Path) -> None:
    whole = file(tmp_path)
    with pytest.raises(UsageError, match=r"has no Kyverno: fleet up .*platform=kyverno"):
        plan(whole.model_copy(update={"platforms": ()}), EXPERIMENT, spec())
    with pytest.raises(UsageError, match="wec_nodes=1"):
        plan(whole.model_copy(update={"wec_nodes": 0}), EXPERIMENT, spec())


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"sets": ["vpol"]}, "sets.0"),
        ({"sets": ["native", "native"]}, "each value once"),
        ({"clients": []}, "there is no load"),
        ({"clients": [200], "objects": 100}, "objects: 100 pods are fewer than 200 clients"),
    ],
)
def test_bad_input_names_the_field(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        spec(**fields)


def test_a_rule_is_broken_in_one_place_and_the_good_pod_stays_good() -> None:
    good = pod("p", "node", {"a": "b"})
    broken = [rule.broken(good) for rule in (SINGLE, *POD_SECURITY)]
    assert good == pod("p", "node", {"a": "b"})
    assert len({str(bad) for bad in broken}) == 17
    assert all(bad != good for bad in broken)


def test_kyvernos_policies_and_the_api_servers_own_have_the_same_expressions() -> None:
    def expressions(name: str, resource: object) -> list[Any]:
        objects = [manifest for kind, manifest in SETS[name].objects if kind == resource]
        return [(one["metadata"]["name"], one["spec"]["validations"], one["spec"]["variables"]) for one in objects]

    theirs = expressions("pod-security", VALIDATING_POLICIES)
    assert theirs == expressions("native-pod-security", ADMISSION_POLICIES)
    assert len(theirs) == 16
    assert expressions("validating-policy", VALIDATING_POLICIES) == expressions("native", ADMISSION_POLICIES)


def test_calls_of_webhooks_are_those_for_creations() -> None:
    name = "apiserver_admission_webhook_admission_duration_seconds"
    page = (
        f'# TYPE {name} histogram\n{name}_bucket{{name="a",operation="CREATE",le="+Inf"}} 9\n'
        f'{name}_count{{name="a",operation="CREATE",rejected="false"}} 4\n'
        f'{name}_count{{name="b",operation="CREATE",rejected="true"}} 1e+01\n'
        f'{name}_count{{name="a",operation="UPDATE",rejected="false"}} 7\n'
    )
    assert calls(page) == 14
