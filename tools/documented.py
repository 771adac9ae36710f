"""Fields of a class, with the sentence that stands below each in its source (pydantic models and msgspec structs)."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Documented:
    """One field, as its source writes it."""

    name: str
    kind: str
    """Its annotation."""
    default: str
    """Empty: it must be given."""
    text: str


def fields(cls: type) -> Iterator[Documented]:
    """Those that the class itself declares, in the order of its source."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    if not isinstance(body, ast.ClassDef):
        raise TypeError(f"{cls} is no class")
    for at, node in enumerate(body.body):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        kind = ast.unparse(node.annotation)
        name = node.target.id
        if name.startswith("_") or kind.startswith("ClassVar"):
            continue
        after = body.body[at + 1] if at + 1 < len(body.body) else None
        text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
        default, alias = _default(node.value)
        yield Documented(alias or name, kind, default, " ".join(str(text).split()))


def sentence(cls: type) -> str:
    """Its docstring in one line."""
    return " ".join((cls.__doc__ or "").split())


def nested(cls: type, base: type) -> Iterator[type]:
    """Classes of `base` in the annotations of the fields that the class declares, in their order."""
    hints = typing.get_type_hints(cls)
    for name in (name for name in inspect.get_annotations(cls) if name in hints):
        yield from _classes(hints[name], base)


def _classes(hint: Any, base: type) -> Iterator[type]:
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias) and issubclass(hint, base):
        yield hint
    for part in typing.get_args(hint):
        yield from _classes(part, base)


def _default(value: ast.expr | None) -> tuple[str, str]:
    """The default as YAML or Python would have it, and the name in a file where that is another."""
    if value is None:
        return "", ""
    if not (isinstance(value, ast.Call) and ast.unparse(value.func) == "Field"):
        return ast.unparse(value), ""
    given = {word.arg: word.value for word in value.keywords if word.arg}
    alias = given["alias"].value if isinstance(given.get("alias"), ast.Constant) else ""  # type: ignore[attr-defined]
    if "default_factory" in given:
        made = ast.unparse(given["default_factory"])
        return {"list": "[]", "dict": "{}"}.get(made, f"{made}()"), str(alias)
    default = given.get("default", value.args[0] if value.args else None)
    return (ast.unparse(default) if default is not None else ""), str(alias)
