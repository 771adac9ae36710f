from typing import Any

from fleet.kube.resources import CONFIGMAPS
from fleet.kube.view import View


def obj(name: str, uid: str, version: int) -> dict[str, Any]:
    return {"metadata": {"namespace": "d", "name": name, "uid": uid, "resourceVersion": str(version)}}


def listed(view: View, *items: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    view.begin_list()
    changes = [*view.page(items), *view.end_list()]
    return [(kind, o["metadata"]["name"], o["metadata"]["uid"], inferred) for kind, o, inferred in changes]


def test_lists_are_compared() -> None:
    view = View(CONFIGMAPS)
    assert listed(view, obj("a", "1", 1), obj("b", "2", 2), obj("c", "3", 3)) == [
        ("ADDED", "a", "1", True),
        ("ADDED", "b", "2", True),
        ("ADDED", "c", "3", True),
    ]
    # a is unchanged, b was changed, c was deleted and made again, d is new, nothing else went
    assert listed(view, obj("a", "1", 1), obj("b", "2", 5), obj("c", "9", 6), obj("d", "4", 7)) == [
        ("MODIFIED", "b", "2", True),
        ("DELETED", "c", "3", True),
        ("ADDED", "c", "9", True),
        ("ADDED", "d", "4", True),
    ]
    assert listed(view, obj("d", "4", 7)) == [
        (("DELETED"), n, u, True) for n, u in (("a", "1"), ("b", "2"), ("c", "9"))
    ]
    assert view.versions() == {("d", "d"): ("4", "7")}


def test_a_tombstone_says_what_is_known() -> None:
    view = View(CONFIGMAPS)
    listed(view, obj("a", "1", 7))
    view.begin_list()
    ((kind, tombstone, inferred),) = view.end_list()
    assert (kind, inferred) == ("DELETED", True)
    assert tombstone == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "d", "uid": "1", "resourceVersion": "7"},
    }


def test_each_version_is_told_once() -> None:
    view = View(CONFIGMAPS)
    assert [c[0] for c in view.observe("ADDED", obj("a", "1", 1))] == ["ADDED"]
    assert list(view.observe("ADDED", obj("a", "1", 1))) == []
    assert [c[0] for c in view.observe("ADDED", obj("a", "1", 2))] == ["MODIFIED"]
    assert [c[0] for c in view.observe("DELETED", obj("a", "1", 3))] == ["DELETED"]
    assert list(view.observe("DELETED", obj("a", "1", 3))) == []
    assert len(view) == 0


def test_a_lost_deletion_is_inferred() -> None:
    view = View(CONFIGMAPS)
    list(view.observe("ADDED", obj("a", "1", 1)))
    changes = [(kind, o["metadata"]["uid"], inferred) for kind, o, inferred in view.observe("ADDED", obj("a", "2", 5))]
    assert changes == [("DELETED", "1", True), ("ADDED", "2", False)]
