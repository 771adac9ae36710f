"""The published schemas: they are those of the models, each shipped file fits and names its own, mistakes do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fleet.cli.schemas import SCHEMAS, file_name, page
from fleet.report import render
from fleet.trace.file import write as write_trace
from tests.unit.cli.conftest import Fleet
from tests.unit.report.made import simulated, write_run
from tests.unit.trace.test_file import trace

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "docs" / "schemas"
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
INVENTORIES = sorted((ROOT / "inventories").glob("*/group_vars/all.yml"))
RUNS = [path for path in sorted((ROOT / "results").glob("*/*/run.json")) if json.loads(path.read_text())["format"] > 1]


def errors(name: str, document: Any) -> list[str]:
    schema = json.loads((PUBLISHED / file_name(name)).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_printed(fleet: Fleet, name: str) -> None:
    assert fleet("schema", name).out == page(name)


def test_all_are_written_into_a_folder(fleet: Fleet, tmp_path: Path) -> None:
    assert fleet("schema", "--out", str(tmp_path / "all")).code == 0
    assert {path.name for path in (tmp_path / "all").iterdir()} == {path.name for path in PUBLISHED.iterdir()}
    assert fleet("schema").code == 2


@pytest.mark.parametrize(
    ("name", "path"),
    [*(("experiment", path) for path in EXPERIMENTS), *(("inventory", path) for path in INVENTORIES)],
    ids=lambda value: value if isinstance(value, str) else str(value.relative_to(ROOT)),
)
def test_a_shipped_file_fits_the_schema_that_it_names(name: str, path: Path) -> None:
    first = path.read_text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == PUBLISHED / file_name(name)
    assert errors(name, yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize("run", RUNS, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_a_published_run_fits(run: Path) -> None:
    assert errors("run", json.loads(run.read_text())) == []
    if (run.parent / "finding.md").exists():  # lines of a run, without a summary of them
        return
    assert errors("summary", json.loads((run.parent / "summary.json").read_text())) == []


def test_a_run_of_today_fits_and_names_its_schemas(tmp_path: Path) -> None:
    folder = write_run(tmp_path, simulated([2], repeats=1).ordered(), wecs=2)
    render(folder)
    for name in ("run", "summary"):
        document = json.loads((folder.path / f"{name}.json").read_text())
        assert errors(name, document) == []
        # As it lies in results/<experiment>/<run>/ of a checkout.
        assert (ROOT / "results" / "x" / "y" / document["$schema"]).resolve() == PUBLISHED / file_name(name)
    assert folder.read_run().id == folder.id


def test_a_trace_fits_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "a.trace.jsonl"
    write_trace(file, trace())
    for line in file.read_text().splitlines():
        assert errors("trace", json.loads(line)) == []


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"experiment": "wec-scalin"}, "wec-scalin"),
        ({"experiment": "wec-scaling", "name": "x", "repeat": 3}, "'repeat' was unexpected"),
        ({"experiment": "wec-scaling", "name": "x", "quiet": 5}, "5 is not of type 'string'"),
        ({"experiment": "wec-scaling", "name": "x", "layouts": ["one-to-two"]}, "one-to-two"),
    ],
)
def test_a_mistake_in_an_experiment_is_found(document: dict[str, Any], words: str) -> None:
    assert any(words in message for message in errors("experiment", document))


def test_a_variable_may_be_computed_and_one_of_the_wrong_kind_is_found() -> None:
    assert errors("inventory", {"wec_count": "{{ 2 * 3 }}", "mine": 1}) == []
    assert errors("inventory", {"wec_count": [4]})


def test_fields_have_the_text_of_the_code_and_defaults_as_a_file_has_them() -> None:
    defined = json.loads((PUBLISHED / file_name("experiment")).read_text())["$defs"]["WecScaling"]["properties"]
    assert defined["warmup"]["description"] == "Trials of each setting that are run first and not counted."
    assert defined["sample_interval"]["default"] == "5s"
