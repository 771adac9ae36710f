"""The table of kinds: every entry is whole, and what can be written is what experiment files take."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fleet.kube import resources
from fleet.model import kinds
from fleet.model.experiment_file import Workload
from fleet.workload.content import Place, Plain, resource_of

PLACE = Place(name="n", namespace="ns", op="o", copy=0)


def test_every_kind_is_a_resource_that_is_known_and_there_once() -> None:
    made = [resource_of(kind) for kind in kinds.KINDS]
    assert set(made) <= set(resources.ALL)
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("name", kinds.WRITABLE)
def test_a_file_takes_every_kind_with_a_body(name: str) -> None:
    (body,) = Plain(Workload(kind=name, bytes=10)).bodies(PLACE)
    assert body.manifest["kind"].lower() == name
    assert "metadata" in body.manifest or kinds.WRITABLE[name].data


def test_a_file_takes_no_other() -> None:
    with pytest.raises(ValidationError, match="'deployment', 'pod' or 'configmap'"):
        Workload(kind="replicaset")
