from __future__ import annotations

import pytest

from fleet.analysis.samples import Sample
from fleet.analysis.stamp_errors import StampReader, known
from fleet.analysis.tracks import OWN, version_of
from fleet.results.events import Audited, HopSeen, ObjectRef, WorkloadSeen

MS = 1_000_000
REF = ObjectRef("apps", "deployments", "run", "d1")


def seen(ms: float, rv: str, type_: str = "ADDED", *, cluster: str = "wec001", listed: bool = False) -> WorkloadSeen:
    at = round(ms * MS)
    return WorkloadSeen(ns=at, wall=at, cluster=cluster, type=type_, uid="u", rv=rv, ref=REF, op="o", listed=listed)


def write(received: float, ms: float, verb: str = "create", *, cluster: str = "wec001", code: int = 200) -> Audited:
    at = round(ms * MS)
    return Audited(
        ns=at, wall=at, cluster=cluster, verb=verb, ref=REF, received_wall=round(received * MS), code=code, sub=""
    )


def sample(begin: int, end: int, stage: str = "downsync") -> Sample:
    return Sample(
        trial="t000", repeat=0, layout="one-to-one", wecs=1, policy="p", kind="deployment", namespace="run", name="d1",
        cluster="wec001", stage=stage, start_ns=0, end_ns=1, seconds=1.0, server_seconds=None, flags=(),
        versions=(begin, end),
    )  # fmt: skip


def delays(*lines: WorkloadSeen | HopSeen | Audited) -> dict[str, float]:
    """Milliseconds by resourceVersion of what was joined: the error of a sample that begins with an own moment."""
    reader = StampReader()
    list(reader.beside(lines))
    versions = {line.rv: version_of(line.cluster, line.rv) for line in lines if not isinstance(line, Audited)}
    found = reader.errors([sample(OWN, version, rv) for rv, version in versions.items()])
    return {} if found is None else {one.stage: round(one.max * 1e3, 6) for one in found.stages}


def test_versions_are_joined_to_writes_in_their_order() -> None:
    told = delays(
        seen(13, "1"), seen(25, "2", "MODIFIED"), seen(26, "3", "MODIFIED"), seen(49, "4", "DELETED"),
        write(9, 11), write(20, 21, "patch"), write(21, 22, "update"), write(40, 41, "delete"),
    )  # fmt: skip
    assert told == {"1": 2, "2": 4, "3": 4, "4": 8}


def test_what_has_several_readings_is_not_joined() -> None:
    """Three patches, two versions: one changed nothing, and nobody says which; but before 30 ms there was only one."""
    told = delays(
        seen(13, "1"), seen(25, "2", "MODIFIED"), seen(50, "3", "MODIFIED"),
        write(9, 11), write(20, 21, "patch"), write(35, 36, "patch"), write(40, 41, "patch"),
    )  # fmt: skip
    assert told == {"1": 2, "2": 4}


def test_refused_writes_lists_and_other_clusters_do_not_count() -> None:
    assert delays(seen(13, "1"), write(5, 6, code=409), write(9, 11), write(9, 10, cluster="wec002")) == {"1": 2}
    assert delays(seen(13, "1", listed=True), write(9, 11)) == {}
    assert delays(seen(13, "1")) == {}


def test_a_version_without_a_write_leaves_the_object_out() -> None:
    assert delays(seen(13, "1"), seen(20, "2", "MODIFIED"), write(9, 11)) == {"1": 2}
    assert delays(seen(13, "1"), write(14, 15)) == {}


def work(number: int) -> HopSeen:
    """The n-th work, seen n ms after the first."""
    return HopSeen(
        ns=0, wall=(10 + number) * MS, cluster="hub", type="ADDED", uid="u", rv=f"{number}", hop="h",
        resource="works.x.io", name=f"w{number}", namespace="n",
    )  # fmt: skip


def test_the_error_of_a_latency_is_the_difference_of_both_delays() -> None:
    reader = StampReader()
    for number in range(100):
        reader.feed(work(number))
        ref = ObjectRef("x.io", "works", "n", f"w{number}")
        reader.feed(
            Audited(ns=0, wall=10 * MS, cluster="hub", verb="create", ref=ref, received_wall=0, code=201, sub="")
        )
    samples = [sample(version_of("hub", "0"), version_of("hub", str(number))) for number in range(100)]
    found = reader.errors([*samples, sample(version_of("hub", "0"), 1), sample(0, 1, "e2e")])
    assert found is not None
    (downsync,) = found.stages
    assert (downsync.samples, downsync.joined) == (101, 100)
    assert (downsync.p50, downsync.p99, downsync.max) == (
        pytest.approx(0.049),
        pytest.approx(0.098),
        pytest.approx(0.099),
    )
    # Every latency is 1 s by the driver's stamps; by the servers' it is shorter by its error.
    assert (downsync.latency_p50, downsync.server_p50) == (1.0, pytest.approx(0.950))
    assert known(found, ("downsync", "e2e")) == [
        "known by the API servers' audit stamps: downsync to \N{PLUS-MINUS SIGN}98.0 ms (p99 of 100)"
    ]
