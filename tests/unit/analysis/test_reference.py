"""The published run of format 1 gives the samples and numbers that it gave when it was made.

`tests/golden/analysis/reference-samples.json` was written by the code before format 2 (commit d6ff750): per stage the
number of samples and the SHA-256 over all of them, and a few whole ones to look at. summary.json lies in the run.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from fleet.analysis.samples import Sample
from fleet.analysis.study import Study, analyse
from fleet.results.folder import RunFolder

ROOT = Path(__file__).parents[3]
RUN = ROOT / "results" / "wec-scaling" / "reference"
GOLDEN = ROOT / "tests" / "golden" / "analysis" / "reference-samples.json"
FIELDS = (
    "trial", "repeat", "layout", "wecs", "policy", "kind", "namespace", "name", "cluster", "stage", "start_ns",
    "end_ns", "seconds", "server_seconds", "flags", "point", "source",
)  # fmt: skip


@pytest.fixture(scope="module")
def study() -> Study:
    return analyse(RunFolder.open(RUN))


def encoded(sample: Sample) -> bytes:
    return msgspec.json.encode([getattr(sample, name) for name in FIELDS])


def test_every_sample_is_the_same(study: Study) -> None:
    golden = json.loads(GOLDEN.read_text())
    stages: dict[str, list[bytes]] = {}
    for sample in study.samples:
        stages.setdefault(sample.stage, []).append(encoded(sample) + b"\n")
    found = {
        stage: {"count": len(rows), "sha256": sha256(b"".join(rows)).hexdigest()} for stage, rows in stages.items()
    }
    assert found == golden["stages"]
    assert sha256(b"\n".join(encoded(sample) for sample in study.samples)).hexdigest() == golden["sha256"]


def test_some_samples_for_the_eye(study: Study) -> None:
    rows = [json.loads(encoded(sample)) for sample in study.samples]
    for example in json.loads(GOLDEN.read_text())["examples"]:
        assert example in rows


def test_the_summary_is_the_published_one(study: Study) -> None:
    """What it says is said still; what later versions say besides (whose CPU it was) is not in it."""
    published, made = json.loads((RUN / "summary.json").read_text()), json.loads(study.summary.model_dump_json())
    assert {name: made[name] for name in published} == published
    assert made.keys() - published.keys() == {"planned", "cpu", "$schema"}


def test_its_manager_is_known_without_any_code_of_it(study: Study) -> None:
    manager = study.run.manager
    assert (study.run.format, manager.name, len(manager.hops)) == (1, "kubestellar", 8)
    assert study.run.source == "wds1"
