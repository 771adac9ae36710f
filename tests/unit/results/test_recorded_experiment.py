"""`run.json` stays readable when the program knows nothing of the experiment, and can be run again when it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import UsageError
from fleet.experiments import registry
from fleet.results.run import RunRecord, load_run
from tests.unit.report.made import run_record


def written(tmp_path: Path, spec: dict[str, Any]) -> RunRecord:
    file = tmp_path / "run.json"
    record = json.loads(run_record("20261122T180000Z-0a1b2c3d", 2).model_dump_json())
    file.write_text(json.dumps({**record, "spec": spec}))
    return load_run(file)


def test_fields_of_an_experiment_that_nobody_knows_are_kept(tmp_path: Path) -> None:
    spec = {"experiment": "moon-phase", "name": "moon", "quiet": "7s", "phases": [1, 2], "depth": {"max": "3m"}}
    record = written(tmp_path, spec)
    assert (record.spec.experiment, record.spec.quiet, record.spec.layouts) == ("moon-phase", 7.0, [])
    assert record.spec.own("phases") == [1, 2]
    again = RunRecord.model_validate_json(record.with_(status="partial").model_dump_json())
    assert again.spec == record.spec
    assert json.loads(record.model_dump_json())["spec"]["depth"] == {"max": "3m"}
    with pytest.raises(UsageError, match="this program has no experiment 'moon-phase'"):
        registry.recorded(record.spec)


@pytest.mark.parametrize("name", registry.MODELS)
def test_every_experiment_comes_back_as_it_was(name: str) -> None:
    spec = registry.MODELS[name].model_validate({"experiment": name})
    record = run_record("20261122T180000Z-0a1b2c3d", 2, spec=spec)
    back = RunRecord.model_validate_json(record.model_dump_json())
    assert registry.recorded(back.spec) == spec


def test_a_run_of_the_first_format_comes_back_too(tmp_path: Path) -> None:
    """Its durations are numbers of seconds."""
    spec = registry.MODELS["link-latency"].model_validate({"experiment": "link-latency"})
    record = written(tmp_path, json.loads(spec.model_dump_json()))
    assert registry.recorded(record.spec) == spec
