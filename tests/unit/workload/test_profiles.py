"""Profiles: what the shipped ones make, what a user's folder may be, and what is refused with its file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import SpecError, UsageError
from fleet.managers.kubestellar.manager import MANAGER
from fleet.model.experiment_file import Workload
from fleet.model.run_names import OP_ANNOTATION, RunNames
from fleet.workload.content import Place
from fleet.workload.layouts import policies
from fleet.workload.objects import WorkloadObject, objects
from fleet.workload.profiles import available, content_of

NAMES = RunNames("20261122T170000Z-0a1b2c3d")
PLACE = Place(name="t000-all-0000", namespace="ns", op="op", copy=0)
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: '{}'}}\n"


def made(profile: str, copies: int = 1) -> tuple[WorkloadObject, ...]:
    content = content_of(Workload(profile=profile))
    (policy,) = policies("one-to-many", ("a", "b"), resources=content.resources, names=NAMES, group=0, sources=["wds1"])
    return objects(policy, content, copies, manager=MANAGER, names=NAMES, trial="t000")


def manifests(items: tuple[WorkloadObject, ...], kind: str) -> list[Any]:
    return [item.write.body for item in items if item.resource.kind == kind]


def test_the_shipped_profiles_are_found() -> None:
    assert {"cluster-density", "cluster-density-ms", "fakepod"} <= set(available())


@pytest.mark.parametrize("profile", ["cluster-density", "cluster-density-ms", "fakepod"])
def test_every_object_has_an_op_id_of_its_own(profile: str) -> None:
    """Two of one op-id are one object to the join: the marks of the first go to the second, which has them already."""
    items = made(profile, copies=3)
    assert len({item.op for item in items}) == len(items)
    assert [item.write.body["metadata"]["annotations"][OP_ANNOTATION] for item in items] == [item.op for item in items]


def test_cluster_density_is_what_kube_burner_makes() -> None:
    items = made("cluster-density")
    assert Counter(item.resource.kind for item in items) == {
        "Secret": 10, "ConfigMap": 10, "Deployment": 1, "Service": 3
    }  # fmt: skip
    (deployment,) = manifests(items, "Deployment")
    spec = deployment["spec"]
    assert spec["replicas"] == 2
    volumes = spec["template"]["spec"]["volumes"]
    assert Counter("secret" if "secret" in volume else "configMap" for volume in volumes) == {
        "secret": 2, "configMap": 2
    }  # fmt: skip
    names = {manifest["metadata"]["name"] for manifest in manifests(items, "Secret")}
    assert {volume["secret"]["secretName"] for volume in volumes if "secret" in volume} <= names
    assert {len(manifest["stringData"]["filling"]) for manifest in manifests(items, "Secret")} == {2048}
    assert {len(manifest["data"]["filling"]) for manifest in manifests(items, "ConfigMap")} == {2048}


def test_cluster_density_ms_is_what_kube_burner_makes() -> None:
    items = made("cluster-density-ms")
    assert Counter(item.resource.kind for item in items) == {
        "ImageStream": 1, "Deployment": 4, "Service": 2, "Route": 1, "Secret": 20, "ConfigMap": 10
    }  # fmt: skip
    for deployment in manifests(items, "Deployment"):
        spec = deployment["spec"]
        kinds = Counter(next(key for key in volume if key != "name") for volume in spec["template"]["spec"]["volumes"])
        assert (spec["replicas"], kinds) == (2, {"secret": 4, "configMap": 4, "downwardAPI": 1})
    secrets = {manifest["metadata"]["name"] for manifest in manifests(items, "Secret")}
    mounted = [
        volume["secret"]["secretName"]
        for deployment in manifests(items, "Deployment")
        for volume in deployment["spec"]["template"]["spec"]["volumes"]
        if "secret" in volume
    ]
    assert len(set(mounted)) == 16
    assert set(mounted) <= secrets
    ports = [port["port"] for manifest in manifests(items, "Service") for port in manifest["spec"]["ports"]]
    assert ports == [8080, 8443]
    (route,) = manifests(items, "Route")
    assert route["spec"]["tls"] == {"termination": "edge"}
    crds = content_of(Workload(profile="cluster-density-ms")).crds
    assert {crd["spec"]["names"]["kind"] for crd in crds} == {"Route", "ImageStream"}


def test_objects_carry_the_runs_identity_and_only_workloads_return_a_status() -> None:
    items = made("cluster-density", copies=2)
    assert len({item.op for item in items}) == len(items) == 48
    assert len({(item.ref.resource, item.ref.name) for item in items}) == 48
    for item in items:
        metadata = item.write.body["metadata"]
        assert metadata["annotations"][OP_ANNOTATION] == item.op
        assert metadata["namespace"] == NAMES.namespace
        assert metadata["labels"]["fleet-testbed/policy"] == item.policy
    assert {item.resource.kind: item.status for item in items} == {
        "Deployment": "aggregate", "Secret": "none", "ConfigMap": "none", "Service": "none"
    }  # fmt: skip


def test_what_is_random_is_the_same_again() -> None:
    assert [item.write.body for item in made("cluster-density")] == [
        item.write.body for item in made("cluster-density")
    ]
    fillings = {manifest["data"]["filling"] for manifest in manifests(made("cluster-density", 2), "ConfigMap")}
    assert len(fillings) == 20


@pytest.mark.parametrize(("lifetime", "shown"), [(None, "20s"), ("90s", "90s")])
def test_a_fake_pod_has_its_lifetime(lifetime: str | None, shown: str) -> None:
    content = content_of(Workload.model_validate({"profile": "fakepod", "lifetime": lifetime}))
    (pod,) = content.bodies(PLACE)
    assert pod.manifest["metadata"]["annotations"] == {"fleet-testbed/lifetime": shown}


def folder(path: Path, **files: str) -> str:
    for name, text in files.items():
        (path / name.replace("_", ".")).write_text(text)
    return f"{path}/"


def test_a_users_folder_needs_no_profile_file(tmp_path: Path) -> None:
    name = folder(tmp_path, a_yaml=CONFIG.format("{{ name }}-a"), b_yaml=CONFIG.format("{{ name }}-b"))
    content = content_of(Workload(profile=name))
    assert [body.name for body in content.bodies(PLACE)] == ["t000-all-0000-a", "t000-all-0000-b"]


def test_a_template_gets_its_variables(tmp_path: Path) -> None:
    text = CONFIG.format("{{ name }}-{{ replica }}") + "data: {v: '{{ colour }} {{ iteration }} {{ namespace }}'}\n"
    profile = "objects:\n- {objectTemplate: a.yaml, replicas: 2, inputVars: {colour: red}}\n"
    content = content_of(Workload(profile=folder(tmp_path, a_yaml=text, profile_yaml=profile)))
    assert [(body.name[-1], body.manifest["data"]["v"]) for body in content.bodies(PLACE)] == [
        ("1", "red 1 ns"), ("2", "red 1 ns")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CONFIG.format("{{ nme }}"), "cannot be rendered: 'nme' is undefined"),
        (CONFIG.format("{{ name }}") + "data: {v: '{{ ''.__class__.__mro__ }}'}\n", "unsafe"),
        (CONFIG.format("{% if %}"), "a.yaml:3"),
        (CONFIG.format("fixed"), "metadata.name: 'fixed' must begin with {{ name }}"),
        (CONFIG.replace("}}", ", namespace: other}}").format("{{ name }}"), "metadata.namespace: leave it out"),
        ("apiVersion: v1\nkind: Nonsense\nmetadata: {name: '{{ name }}'}\n", "name the file of its CRD"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: '{{ name }}'}\n", "cluster-scoped"),
        ("just text\n", "must render to objects with metadata"),
        ("a: [\n", "is not YAML"),
        ("!!python/object/apply:os.system ['true']\n", "is not YAML"),
    ],
)
def test_what_is_refused_names_the_template(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        _ = content_of(Workload(profile=folder(tmp_path, a_yaml=text))).resources
    assert said in str(caught.value)
    assert "a.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("objects: []\n", "profile.yaml:1: objects"),
        ("objects:\n- {objectTemplate: ../a.yaml}\n", "profile.yaml:2: objects.0.objectTemplate"),
        ("objects:\n- {objectTemplate: none.yaml}\n", "there is no such template"),
        ("objects:\n- {objectTemplate: a.yaml, replica: 2}\n", "did you mean `replicas`?"),
        ("objects:\n- {objectTemplate: a.yaml}\ncrds: [a.yaml]\n", "no CustomResourceDefinition"),
    ],
)
def test_a_profile_that_cannot_be_used(tmp_path: Path, profile: str, said: str) -> None:
    name = folder(tmp_path, a_yaml=CONFIG.format("x"), profile_yaml=profile)
    with pytest.raises(SpecError) as caught:
        content_of(Workload(profile=name))
    assert said in str(caught.value)


def test_a_folder_without_templates_and_a_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"neither profile\.yaml nor"):
        content_of(Workload(profile=f"{tmp_path}/"))
    with pytest.raises(UsageError, match="did you mean `cluster-density`"):
        content_of(Workload(profile="cluster-densty"))


def test_a_loop_without_end_is_stopped_by_the_sandbox(tmp_path: Path) -> None:
    text = "{% for number in range(10 ** 9) %}x{% endfor %}\n"
    with pytest.raises(SpecError):
        _ = content_of(Workload(profile=folder(tmp_path, a_yaml=text))).resources
