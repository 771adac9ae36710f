"""JSON merge patch (RFC 7386) and JSON patch (RFC 6902) on plain JSON values; the input is never changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any


class PatchError(ValueError):
    """A patch that does not fit the document, or no patch at all."""


def merge(document: Any, patch: Any) -> Any:
    """The document with the merge patch applied: mappings merge, null removes, everything else replaces."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    result = dict(document) if isinstance(document, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def apply_operations(document: Any, operations: Sequence[Mapping[str, Any]]) -> Any:
    """The document after all operations, or PatchError and nothing."""
    result = copy.deepcopy(document)
    for operation in operations:
        result = _apply(result, operation)
    return result


def _apply(document: Any, operation: Mapping[str, Any]) -> Any:
    kind, path = operation.get("op"), _pointer(operation.get("path"))
    if kind == "test":
        if _get(document, path) != operation.get("value"):
            raise PatchError(f"testing {operation['path']} failed")
        return document
    if kind == "remove":
        return _remove(document, path)
    if kind in ("add", "replace"):
        if kind == "replace":
            _get(document, path)
        return _put(document, path, copy.deepcopy(operation.get("value")), insert=kind == "add")
    if kind in ("copy", "move"):
        source = _pointer(operation.get("from"))
        value = copy.deepcopy(_get(document, source))
        if kind == "move":
            document = _remove(document, source)
        return _put(document, path, value, insert=True)
    raise PatchError(f"unknown operation {kind!r}")


def _pointer(text: Any) -> list[str]:
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise PatchError(f"{text!r} is not a JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _get(document: Any, path: Sequence[str]) -> Any:
    for part in path:
        document = document[_index(document, part)] if _has(document, part) else _missing(part)
    return document


def _has(container: Any, part: str) -> bool:
    if isinstance(container, list):
        return part.isdigit() and int(part) < len(container)
    return isinstance(container, dict) and part in container


def _index(container: Any, part: str) -> Any:
    return int(part) if isinstance(container, list) else part


def _missing(part: str) -> Any:
    raise PatchError(f"nothing is at {part!r}")


def _put(document: Any, path: Sequence[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    parent, last = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        if last == "-":
            parent.append(value)
        elif not last.isdigit() or int(last) > len(parent):
            _missing(last)
        elif insert:
            parent.insert(int(last), value)
        else:
            parent[int(last)] = value
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        _missing(last)
    return document


def _remove(document: Any, path: Sequence[str]) -> Any:
    if not path:
        raise PatchError("the whole document cannot be removed")
    parent = _get(document, path[:-1])
    _get(parent, path[-1:])
    del parent[_index(parent, path[-1])]
    return document
