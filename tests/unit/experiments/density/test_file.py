"""What a file of density may say, and how many control planes are loaded."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from fleet.experiments.density.file import DensityFile


def made(**fields: Any) -> DensityFile:
    return DensityFile.model_validate({"experiment": "density", **fields})


@pytest.mark.parametrize(
    ("scenario", "percent", "count", "hot"),
    [
        ("bootstrap", 10, 200, 0),
        ("mixed-hot", 10, 200, 20),
        ("mixed-hot", 10, 4, 1),
        ("mixed-hot", 10, 0, 0),
        ("mixed-uniform", 10, 7, 7),
    ],
)
def test_hot(scenario: str, percent: float, count: int, hot: int) -> None:
    assert made(scenario=scenario, traffic={"hot_percent": percent}).hot(count) == hot


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"clusters": [1, 2, 3, 4]}, "0 and at least three more"),
        ({"clusters": [0, 1, 2]}, "0 and at least three more"),
        ({"clusters": [0, 1, 1, 2]}, "each count once"),
        ({"target": "kplane"}, "needs `kplane:"),
        ({"kplane": {"binary": "/x", "sha256": "0" * 64}}, "no other target does"),
        ({"target": "kplane", "kplane": {"binary": "/x", "sha256": "12"}}, "kplane.sha256"),
        ({"traffic": {"client": "closed", "ladder": [1, 2]}}, "a closed client has no rate to raise"),
        ({"traffic": {"write_rps_per_cluster": 0, "read_rps_per_cluster": 0}}, "there would be no load"),
        ({"as_shipped": True}, "is for target process"),
        ({"target": "process", "dense_sharing": False}, "is for target dense"),
    ],
)
def test_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match="validation error") as error:
        made(**fields)
    assert said in str(error.value)


def test_counts_are_sorted() -> None:
    assert made(clusters=[8, 0, 4, 12]).clusters == [0, 4, 8, 12]
