"""Who wrote an object, from the managedFields of its versions."""

from __future__ import annotations

from typing import Any

from fleet.observe.writers import Writers


def meta(*entries: tuple[str, str, list[str]], uid: str = "u") -> dict[str, Any]:
    managed = [
        {
            "manager": name.partition("/")[0],
            **({"subresource": name.partition("/")[2]} if "/" in name else {}),
            "time": time,
            "fieldsV1": {"f:spec": {f"f:{field}": {} for field in fields}},
        }
        for name, time, fields in entries
    ]
    return {"uid": uid, "managedFields": managed}


def test_the_newest_stamp_that_changed_is_the_writer() -> None:
    writers = Writers()
    assert writers.writer("c", meta(("driver", "10:00:00Z", ["a"]))) == "driver"
    assert writers.writer("c", meta(("driver", "10:00:00Z", ["a"]), ("Status/status", "10:00:05Z", ["s"]))) == (
        "Status/status"
    )
    assert writers.writer("c", meta(("driver", "10:00:09Z", ["a"]), ("Status/status", "10:00:05Z", ["s"]))) == "driver"


def test_within_one_second_the_writer_is_the_one_that_took_the_field() -> None:
    writers = Writers()
    writers.writer("c", meta(("one", "10:00:00Z", ["x", "own"]), ("two", "10:00:00Z", ["other"])))
    # Both in the same second: two takes x from one, then one takes it back.
    assert writers.writer("c", meta(("one", "10:00:00Z", ["own"]), ("two", "10:00:00Z", ["other", "x"]))) == "two"
    assert writers.writer("c", meta(("one", "10:00:00Z", ["x", "own"]), ("two", "10:00:00Z", ["other"]))) == "one"


def test_a_version_that_changes_no_entry_is_the_same_writers() -> None:
    writers = Writers()
    version = meta(("one", "10:00:00Z", ["x"]))
    assert [writers.writer("c", version), writers.writer("c", version)] == ["one", "one"]


def test_objects_and_clusters_are_apart_and_a_deleted_one_is_forgotten() -> None:
    writers = Writers()
    version = meta(("one", "10:00:00Z", ["x"]))
    writers.writer("c", version)
    assert writers.writer("d", meta(("two", "10:00:00Z", ["x"]))) == "two"
    writers.forget("c", version)
    assert writers.writer("c", {"uid": "u"}) == ""
