"""Fields of an experiment, as a file has them, made the words of `--set` of a command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def set_words(fields: Mapping[str, Any]) -> list[str]:
    """`FIELD=VALUE` for each, in their order; a field is dotted, a value is written as YAML in one line.

    >>> set_words({"workload.objects": 5, "layouts": ["one-to-many"]})
    ['workload.objects=5', 'layouts=[one-to-many]']
    >>> set_words({"during": [{"at": "2s", "action": "kill", "target": "manager"}]})
    ['during=[{at: 2s, action: kill, target: manager}]']

    A mapping becomes its fields, since the option takes none:

    >>> set_words({"load": {"steppedLoad": {"burstSize": 1, "stepDelay": "1s"}}})
    ['load.steppedLoad.burstSize=1', 'load.steppedLoad.stepDelay=1s']
    """
    return [f"{field}={_flow(value)}" for field, value in _leaves(fields)]


def _leaves(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for field, value in fields.items():
        if isinstance(value, Mapping):
            yield from ((f"{field}.{name}", below) for name, below in _leaves(value))
        else:
            yield field, value


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_flow(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_flow(item)}' for name, item in value.items())}}}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
