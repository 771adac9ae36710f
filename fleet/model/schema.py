"""JSON Schemas of our models as files have them, for editors and for readers of results."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from fleet.model.duration import WRITTEN, shown

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Described(GenerateJsonSchema):
    """The text behind each field becomes its description; a default is as a file would have it."""

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        """Of one model."""
        made = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        texts = _texts(model)
        aliases = {field.alias or name: name for name, field in model.model_fields.items()}
        for key, entry in made.get("properties", {}).items():
            entry.pop("title", None)
            text = texts.get(aliases.get(key, key))
            if text and "description" not in entry:
                entry["description"] = text
            if entry.get("pattern") == WRITTEN["pattern"] and isinstance(entry.get("default"), float):
                entry["default"] = shown(entry["default"])
        return made


def schema_of(model: type[BaseModel], name: str) -> dict[str, Any]:
    """Of one model; `name` is the file that it is published as."""
    made = model.model_json_schema(schema_generator=_Described)
    return {"$schema": DIALECT, "$id": name, **made}


def schemas_of(models: Sequence[type[BaseModel]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A reference to each, and the definitions that they share."""
    found, shared = models_json_schema([(model, "validation") for model in models], schema_generator=_Described)
    return [found[model, "validation"] for model in models], shared["$defs"]


def _texts(model: type[BaseModel]) -> dict[str, str]:
    """Of each field the string behind it, those of the bases too."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, BaseModel) and cls is not BaseModel:
            found.update(_own_texts(cls))
    return found


def _own_texts(cls: type[BaseModel]) -> Iterator[tuple[str, str]]:
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):
        return  # made by a program
    body = ast.parse(source).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for field, text in itertools.pairwise(statements):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                yield name, " ".join(words.split())
            case _:
                pass
