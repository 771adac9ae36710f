from typing import Any

import pytest

from fleet.testing.api_server.patching import PatchError, apply_operations, merge


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [  # rows of RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge(document: Any, patch: Any, expected: Any) -> None:
    assert merge(document, patch) == expected


def test_operations() -> None:
    document = {"a": {"b/c": 1}, "l": [1, 2]}
    operations = [
        {"op": "test", "path": "/a/b~1c", "value": 1},
        {"op": "add", "path": "/l/0", "value": 0},
        {"op": "add", "path": "/l/-", "value": 3},
        {"op": "replace", "path": "/l/1", "value": 9},
        {"op": "copy", "from": "/l", "path": "/m"},
        {"op": "move", "from": "/a/b~1c", "path": "/x"},
        {"op": "remove", "path": "/l/0"},
    ]
    assert apply_operations(document, operations) == {"a": {}, "l": [9, 2, 3], "m": [0, 9, 2, 3], "x": 1}
    assert document == {"a": {"b/c": 1}, "l": [1, 2]}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/b"},
        {"op": "replace", "path": "/b", "value": 1},
        {"op": "add", "path": "/b/c", "value": 1},
        {"op": "add", "path": "a", "value": 1},
        {"op": "frobnicate", "path": "/a"},
        {"op": "remove", "path": ""},
    ],
)
def test_operations_that_do_not_fit(operation: dict[str, Any]) -> None:
    with pytest.raises(PatchError):
        apply_operations({"a": 1}, [operation])
