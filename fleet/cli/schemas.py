"""The JSON Schemas that are published in docs/schemas, made from the models that read and write the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fleet.analysis.summary import Summary
from fleet.experiments.registry import MODELS
from fleet.model.base import NAME_FIELD
from fleet.model.duration import WRITTEN
from fleet.model.schema import DIALECT, schema_of, schemas_of
from fleet.model.variables import Variables
from fleet.results.run import RunRecord
from fleet.trace.schema import schema as trace_schema

_TEMPLATE = {"type": "string", "pattern": r"\{\{.*\}\}"}
"""Of Ansible: any variable may be computed."""


def page(name: str) -> str:
    """The text of one file of docs/schemas."""
    return json.dumps(SCHEMAS[name](), indent=1) + "\n"


def file_name(name: str) -> str:
    """`experiment.schema.json`."""
    return f"{name}.schema.json"


def _experiment() -> dict[str, Any]:
    """Which fields a file may have depends on its `experiment`."""
    references, shared = schemas_of(list(MODELS.values()))
    return {
        "$schema": DIALECT,
        "$id": file_name("experiment"),
        "title": "Experiment",
        "description": "An experiment file: what is done on a fleet, how often, and what is measured.",
        "type": "object",
        "required": ["experiment"],
        "properties": {"experiment": {"enum": list(MODELS), "description": "Which experiment it is."}},
        "allOf": [
            {"if": {"properties": {"experiment": {"const": name}}, "required": ["experiment"]}, "then": reference}
            for name, reference in zip(MODELS, references, strict=True)
        ],
        "$defs": shared,
    }


def _inventory() -> dict[str, Any]:
    """Of `group_vars` and `host_vars`; variables of Ansible and of the user's own may stand alongside ours."""
    made = schema_of(Variables, file_name("inventory"))
    made["title"] = "Inventory variables"
    made["description"] = (
        "group_vars and host_vars of an inventory; docs/reference/variables.md has the same as a page."
    )
    made["additionalProperties"] = True
    made["properties"] = {
        name: {
            **{key: entry[key] for key in ("description", "default") if key in entry},
            "anyOf": [
                {
                    key: value
                    for key, value in entry.items()
                    if key not in ("description", "default", "recorded", "limit")
                },
                _TEMPLATE,
            ],
        }
        for name, entry in made["properties"].items()
    }
    return made


def _named(made: dict[str, Any]) -> dict[str, Any]:
    """Files of this kind have the name of their schema in them."""
    made["properties"] = {NAME_FIELD: {"type": "string"}, **made["properties"]}
    return made


def _run() -> dict[str, Any]:
    """Runs of the first format have durations in seconds."""
    made: dict[str, Any] = _relaxed(schema_of(RunRecord, file_name("run")))
    return _named(made)


def _relaxed(part: Any) -> Any:
    if isinstance(part, dict):
        number = part.get("pattern") == WRITTEN["pattern"]
        return {key: _relaxed(value) for key, value in part.items()} | (
            {"type": ["string", "number"]} if number else {}
        )
    return [_relaxed(entry) for entry in part] if isinstance(part, list) else part


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "experiment": _experiment,
    "inventory": _inventory,
    "run": _run,
    "summary": lambda: _named(schema_of(Summary, file_name("summary"))),
    "trace": lambda: {"$id": file_name("trace"), **trace_schema()},
}
