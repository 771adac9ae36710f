"""Fields of raw objects, whatever these are: what is missing or of another type is empty. Hops read with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fleet.model.run_names import OP_ANNOTATION

Object = Mapping[str, Any]


def within(obj: Object, *path: str) -> Object:
    """The map at that path."""
    value: Any = obj
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def entries(obj: Object, *path: str) -> Sequence[Object]:
    """The maps of the list at that path."""
    value = within(obj, *path[:-1]).get(path[-1])
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def text(obj: Object, key: str) -> str:
    """One field as text."""
    return str(obj.get(key) or "")


def number(obj: Object, key: str) -> int:
    """One field as a whole number."""
    try:
        return int(obj.get(key) or 0)
    except (TypeError, ValueError):
        return 0


def meta(obj: Object, key: str) -> str:
    """A field of its metadata."""
    return text(within(obj, "metadata"), key)


def label(obj: Object, key: str) -> str:
    """One of its labels."""
    return text(within(obj, "metadata", "labels"), key)


def op_of(obj: Object) -> str:
    """The op-id that it carries; empty for an object that is not ours."""
    return text(within(obj, "metadata", "annotations"), OP_ANNOTATION)
