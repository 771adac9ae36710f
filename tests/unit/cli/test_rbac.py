from __future__ import annotations

import pytest
import yaml

from tests.unit.cli.conftest import Fleet


def test_the_roles_of_a_manager(fleet: Fleet) -> None:
    ran = fleet("rbac")
    names = [one["metadata"]["name"] for one in yaml.safe_load_all(ran.out) if one["kind"] == "ClusterRole"]
    assert (ran.code, names) == (0, ["fleet-testbed-source", "fleet-testbed-transport", "fleet-testbed-wec"])
    ran = fleet("rbac", "--manager", "none", "--kind", "pods", "--kind", "configmaps", "--namespace", "mine")
    documents = list(yaml.safe_load_all(ran.out))
    assert [one["metadata"]["name"] for one in documents if one["kind"] == "ClusterRole"] == ["fleet-testbed-wec"]
    assert documents[0]["metadata"]["name"] == "mine"
    assert fleet("rbac", "--role", "wec").out.count("kind: ClusterRole\n") == 2  # itself, and in its binding


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--manager", "clusternet"], "manager: 'clusternet' is not one of"),
        (["--role", "its"], "--role: 'its' is not one of source, transport, wec"),
        (["--role", "source", "--manager", "none"], "is not one of wec, which none has"),
        (["--kind", "deployment.apps"], "is not known"),
    ],
)
def test_refused(fleet: Fleet, words: list[str], said: str) -> None:
    ran = fleet("rbac", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
