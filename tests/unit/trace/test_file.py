"""Trace files: read back as written, refused with line and field, described by the published schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.errors import SpecError, UsageError
from fleet.model.trace import Header, Owner, Pod
from fleet.trace import place
from fleet.trace.file import Trace, read, write
from fleet.trace.schema import schema

ROOT = Path(__file__).parents[3]


def trace() -> Trace:
    pods = (
        Pod(t=0, key="a", before=True, life=2.5, end="deleted"),
        Pod(t=1.25, key="b", ns="x", owner=Owner(kind="Job", name="j"), wait=0.5, life=3, end="failed", exit=3),
        Pod(t=1.25, key="c", requests={"cpu": "100m"}, end="open", inexact=["t"]),
    )
    return Trace(Header(source="test", pods=3, span=9, clock="receipt", complete=True, untold={"node": "why"}), pods)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "a.trace.jsonl"
    write(file, trace())
    assert read(file) == trace()
    lines = file.read_text().splitlines()
    assert lines[0].startswith('{"format":"fleet-trace/1"')
    assert lines[1] == '{"t":0.0,"key":"a","life":2.5,"end":"deleted","before":true}'
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(UsageError, match="exists: choose another name, or replace it with --force"):
        write(file, trace())
    write(file, trace(), force=True)


def lines(*change: tuple[int, str, str]) -> Callable[[str], str]:
    def of(text: str) -> str:
        parts = text.splitlines(keepends=True)
        for number, old, new in change:
            assert old in parts[number - 1]
            parts[number - 1] = parts[number - 1].replace(old, new)
        return "".join(parts)

    return of


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lines((3, '"t":1.25', '"t":-1')), ":3: t: should be greater than or equal to 0"),
        (lines((3, '"t":1.25', '"t":5')), ":4: t: 1.25 s lies before the line above (5 s): lines must ascend by time"),
        (lines((3, '"t":1.25', '"t":"soon"')), ":3: t: must be a number, not 'soon'"),
        (lines((3, '"t":1.25', '"t":NaN')), ":3: is not JSON"),
        (lines((3, '"t":1.25', '"t":1e300')), ":3: t: "),
        (lines((3, '"key":"b"', '"key":"a"')), ":3: key: 'a' is the key of an earlier line too"),
        (lines((3, '"exit":3', '"exit":0')), ":3: exit: 0 does not go with failed"),
        (lines((3, '"exit":3', '"exit":300')), ":3: exit: "),
        (lines((2, '"end":"deleted"', '"end":"gone"')), ":2: end: "),
        (lines((4, '"end":"open"', '"end":"open","life":3')), ":4: life: a pod whose end is open has no length"),
        (lines((4, '"end":"open"', '"end":"open","nod":"x"')), ":4: nod: unknown field; did you mean `node`?"),
        (lines((2, '"t":0.0', '"t":0.5')), ":2: t: must be 0 of a pod that was there before"),
        (lines((1, '"pods":3', '"pods":4')), ":4: pods: the header says 4 pods, the file has 3: it is not whole"),
        (lines((1, "fleet-trace/1", "fleet-trace/2")), ":1: format: must be 'fleet-trace/1'"),
        (lambda text: text[:-10], ":4: does not end: the file is cut off here"),
        (lambda text: text.rpartition("\n")[0].rpartition("\n")[0] + "\n", ":3: pods: the header says 3 pods"),
        (lambda _: "", ":1: is empty: a trace begins with a header line"),
        (lambda text: text + "[]\n", ":5: must be a JSON object"),
        (lambda text: text + "x" * 70_000 + "\n", ":5: is longer than 65536 bytes"),
    ],
)
def test_a_damaged_or_hostile_file_is_refused_with_line_and_field(
    tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    file = tmp_path / "a.trace.jsonl"
    write(file, trace())
    file.write_text(change(file.read_text()))
    with pytest.raises(SpecError) as caught:
        read(file)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_schema_has_both_kinds_of_lines() -> None:
    made = schema()
    assert set(made["$defs"]["pod"]["required"]) == {"t", "key", "end"}
    assert "source" in made["$defs"]["header"]["required"]
    json.dumps(made)


def test_traces_are_found_by_name() -> None:
    assert place.find("small-fleet").name == "small-fleet.trace.jsonl"
    with pytest.raises(UsageError, match="no trace 'small-flet'; did you mean `small-fleet`"):
        place.find("small-flet")


def test_the_default_trace_is_a_recording_of_ours() -> None:
    found = read(place.find("small-fleet"))
    assert (found.header.source, found.header.clock, found.header.complete) == ("record", "receipt", True)
    assert len(found.pods) == 60
