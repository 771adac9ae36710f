"""The KubeVirt object, the VMI stages, addresses and the command lines, without a cluster."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import yaml

from fleet.errors import ToolchainError
from fleet.host.machine import Machine
from fleet.install.upstream import UpstreamFolders
from fleet.model.variables import Variables
from fleet.platforms.kubevirt import names, objects, programs, stages
from fleet.platforms.kubevirt.places import Places
from fleet.platforms.platform import Seat

MADE = objects.Generated.model_validate(
    {
        "version": "v1.8.0",
        "objects": [{"kind": "PriorityClass", "metadata": {"name": "p"}, "status": {}}],
        "webhooks": {"ValidatingWebhookConfiguration": {"v": ["virt-api", "kubevirt-operator-webhook"]}},
        "api_services": ["v1.sub"],
    }
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    upstream = UpstreamFolders.of([tmp_path / "bin"], check=True)
    machine = Machine("demo", tmp_path / "demo", upstream, check=True)
    variables = Variables.model_validate({"platform": "kubevirt", "kubevirt_controller_qps": 50})
    seat = Seat(machine, "wec001", "kubevirt", upstream, variables, "https://127.0.0.1:16000")
    return Places(seat, operator=16005, api=16006, controller=16007, stages=16008)


def test_every_service_webhook_and_api_service_leads_to_our_processes(places: Places) -> None:
    made = objects.kubevirt(places, MADE)
    patches = {
        (patch["resourceType"], patch["resourceName"]): json.loads(patch["patch"])
        for patch in made["spec"]["customizeComponents"]["patches"]
    }
    assert patches["Service", "virt-api"][0] == {"op": "add", "path": "/spec/clusterIP", "value": "127.77.62.134"}
    assert patches["Service", "kubevirt-operator-webhook"][1]["value"] == 8444
    assert patches["ValidatingWebhookConfiguration", "v"] == [
        {"op": "add", "path": "/webhooks/0/clientConfig/service/port", "value": 16006},
        {"op": "add", "path": "/webhooks/1/clientConfig/service/port", "value": 8444},
    ]
    assert patches["APIService", "v1.sub"] == [{"op": "add", "path": "/spec/service/port", "value": 16006}]


def test_the_limits_of_the_inventory_are_in_it(places: Places) -> None:
    configuration = objects.kubevirt(places, MADE)["spec"]["configuration"]
    bucket = configuration["controllerConfiguration"]["restClient"]["rateLimiter"]["tokenBucketRateLimiter"]
    assert bucket == {"qps": 50, "burst": 400}


def test_generated_objects_come_without_a_status() -> None:
    assert list(MADE.placed()) == [(names.PRIORITY_CLASSES, {"kind": "PriorityClass", "metadata": {"name": "p"}})]


def test_each_program_is_the_account_that_upstreams_rbac_knows(places: Places) -> None:
    plan = programs.plan(places, "v1.8.0")
    subjects = {cert.name: cert.subject for cert in plan.certificates}
    assert subjects["virt-controller"].common_name == "system:serviceaccount:kubevirt:kubevirt-controller"
    assert subjects["virt-controller"].organizations == ("system:serviceaccounts", "system:serviceaccounts:kubevirt")
    lines = {planned.program.name: planned.program for planned in plan.programs}
    components = ("virt-operator", "virt-api", "virt-controller", "kwok-kubevirt")
    assert list(lines) == [f"{name}.wec001" for name in components]
    assert "--listen=127.77.62.133" in lines["virt-operator.wec001"].argv
    assert lines["virt-operator.wec001"].env["KUBEVIRT_VERSION"] == "v1.8.0"
    assert "--manage-single-node=none" in lines["kwok-kubevirt.wec001"].argv
    assert {program.directory for program in lines.values()} == {places.seat.folder}


def test_kwok_plays_a_vmi_as_virt_controller_and_deletes_it() -> None:
    running, gone = yaml.safe_load_all(stages.config())
    user = "system:serviceaccount:kubevirt:kubevirt-controller"
    assert running["spec"]["next"]["statusPatchAs"] == {"username": user}
    assert running["spec"]["next"]["statusSubresource"] == ""
    assert "delay" not in running["spec"]
    assert gone["spec"]["next"] == {"finalizers": {"empty": True}, "delete": True}


def test_a_generator_that_fails_or_babbles_is_named(tmp_path: Path) -> None:
    program = tmp_path / "bin" / objects.GENERATOR
    program.parent.mkdir()
    upstream = UpstreamFolders.of([program.parent], check=False)
    for text, said in (("echo no >&2; exit 1", "kubevirt-objects: no"), ("echo '{}'", "version")):
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        with pytest.raises(ToolchainError, match=said):
            objects.generated(upstream)
