"""Label and field selectors, as an API server reads them: equality, `in`, `notin`, presence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Match = Callable[[Mapping[str, Any]], bool]

_TERM = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<gone>[^\s!=,()]+)"
    r"|(?P<key>[^\s!=,()]+)\s*(?:(?P<op>==|=|!=)\s*(?P<value>[^\s,()]*)"
    r"|\s(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*(?:,|$)"
)


def label_match(selector: str) -> Match:
    """Whether an object's labels fulfil the selector; everything does when it is empty. ValueError when malformed."""
    tests = _label_tests(selector)

    def match(obj: Mapping[str, Any]) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return match


def field_match(selector: str) -> Match:
    """Whether an object's fields (`metadata.name=a,spec.nodeName!=b`) fulfil the selector."""
    tests: list[tuple[list[str], str, bool]] = []
    for term in filter(None, selector.split(",")):
        path, wanted, value = term.partition("=")
        if not wanted:
            raise ValueError(f"unable to parse field selector {term!r}")
        tests.append((path.rstrip("!").split("."), value.lstrip("="), not path.endswith("!")))

    def match(obj: Mapping[str, Any]) -> bool:
        return all((str(_dig(obj, path)) == value) is equal for path, value, equal in tests)

    return match


def _label_tests(selector: str) -> list[Callable[[Mapping[str, str]], bool]]:
    tests = []
    position = 0
    while position < len(selector):
        found = _TERM.match(selector, position)
        if found is None or found.end() == position:
            raise ValueError(f"unable to parse label selector {selector!r} at character {position}")
        tests.append(_label_test(found))
        position = found.end()
    return tests


def _label_test(term: re.Match[str]) -> Callable[[Mapping[str, str]], bool]:
    key, value = term["key"] or term["gone"], term["value"]
    if term["absent"]:
        return lambda labels: key not in labels
    if term["set"]:
        values = {part.strip() for part in term["values"].split(",")}
        wanted = term["set"] == "in"
        return lambda labels: (labels.get(key) in values) is wanted
    if term["op"] == "!=":
        return lambda labels: labels.get(key) != value
    if term["op"]:
        return lambda labels: labels.get(key) == value
    return lambda labels: key in labels


def _dig(obj: Any, path: list[str]) -> Any:
    for part in path:
        obj = obj.get(part, "") if isinstance(obj, Mapping) else ""
    return obj
