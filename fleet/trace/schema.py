"""The schema of traces, which `fleet schema trace` prints."""

from __future__ import annotations

from typing import Any

from fleet.model.trace import FORMAT, Header, Pod

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """JSON Schema of one line: `$defs` has both kinds, `header` for the first and `pod` for all others."""
    header, pod = (model.model_json_schema(ref_template="#/$defs/{model}") for model in (Header, Pod))
    shared = {**header.pop("$defs", {}), **pod.pop("$defs", {})}
    return {
        "$schema": DIALECT,
        "title": FORMAT,
        "description": "A line of a trace file (JSON Lines): the first is a header, each other one a pod.",
        "anyOf": [{"$ref": "#/$defs/header"}, {"$ref": "#/$defs/pod"}],
        "$defs": {"header": header, "pod": pod, **shared},
    }
