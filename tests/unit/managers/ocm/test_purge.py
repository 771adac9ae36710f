"""Which ManagedClusters nobody will let go: of machines that left, and of WECs that moved."""

from __future__ import annotations

from typing import Any

from fleet.managers.ocm.admission import acceptance
from fleet.managers.ocm.purge import strangers


def cluster(name: str, machine: str = "", *, ours: bool = True) -> dict[str, Any]:
    wanted = acceptance(name, machine)["metadata"]
    return {"metadata": {"name": name, **(wanted if ours else {})}}


def test_strangers_are_told_with_the_reason() -> None:
    there = [
        cluster("wec001", "m2"),
        cluster("wec002", "m2"),
        cluster("wec003", "m3"),
        cluster("wec004"),
        cluster("wec005"),
        cluster("somebody", ours=False),
    ]
    found = strangers(there, {"wec001": "m2", "wec002": "m1", "wec004": "m2"})
    assert found == {
        "wec002": "moved from m2 to m1",
        "wec003": "no longer in the fleet (was on m3)",
    }
