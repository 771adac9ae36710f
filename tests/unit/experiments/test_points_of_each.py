"""What each experiment will do: its points, their order, loads and limits. Nothing is run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from fleet.errors import FleetError, UsageError
from fleet.experiment.feasible import burden
from fleet.experiment.feasible import check_loads as check_all
from fleet.experiment.plan import TrialPlan, trial_policies
from fleet.experiment.points import trials
from fleet.experiment.reconfigure import Refitted
from fleet.experiments.long_run import LongRun
from fleet.experiments.registry import EXPERIMENTS, MODELS
from fleet.managers.kubestellar.manager import MANAGER
from fleet.managers.kubestellar.sizing import sizes
from fleet.model.client_limits import ClientLimits
from fleet.model.link import Link
from fleet.model.run_names import RunNames
from fleet.workload.content import Place
from tests.unit.report.made import fleet_file

WECS = [f"wec{number:03d}" for number in range(1, 5)]
NAMES = RunNames("20261122T170000Z-0a1b2c3d")


def planned(experiment: str, **fields: Any) -> list[TrialPlan]:
    return over(["wds1"], experiment, **fields)


def over(sources: list[str], experiment: str, **fields: Any) -> list[TrialPlan]:
    spec = MODELS[experiment].model_validate({"experiment": experiment, **fields})
    return trials(EXPERIMENTS[experiment].points, spec, MANAGER, wecs=WECS, counts=[4], sources=sources)


def check_loads(made: list[TrialPlan], limits: ClientLimits, seconds: float = float("inf")) -> None:
    check_all(made, MANAGER, limits.model_dump(), seconds)


def test_policies_each_have_a_namespace() -> None:
    made = {trial.point: trial for trial in planned("policy-scaling", policies=[1, 3])}
    assert {point: (t.policies, t.objects, t.copies) for point, t in made.items()} == {
        "policies=1": (1, 38, 152),
        "policies=3": (3, 114, 456),
    }
    policies = trial_policies(made["policies=3"], NAMES)
    assert len({policy.name for policy in policies}) == len({policy.namespace for policy in policies}) == 3
    assert all(NAMES.holds(policy.namespace) for policy in policies)
    assert all(policy.clusters == tuple(WECS) for policy in policies)


def test_sizes_are_every_number_with_every_size() -> None:
    made = planned("workload-size", objects=[1, 5], bytes=[0, 1000], repeats=1, warmup=0)
    assert {trial.point: trial.objects for trial in made} == {
        "objects=1 bytes=0": 1, "objects=1 bytes=1000": 1, "objects=5 bytes=0": 5, "objects=5 bytes=1000": 5
    }  # fmt: skip
    sized = {one.point: sizes(burden(one, MANAGER, {}, 0).writes, ClientLimits()).wrapped for one in made}
    assert sized["objects=1 bytes=1000"] - sized["objects=1 bytes=0"] in range(1000, 1030)


def test_points_with_the_same_limits_stay_together() -> None:
    made = planned("client-limits", layouts=["one-to-one", "one-to-many"], clients=["transport_its"])
    seen = [tuple(trial.limits.items()) for trial in made]
    assert len(set(seen)) == 3
    assert sum(1 for one, other in pairwise(seen) if one != other) == 2
    assert {trial.point: trial.limits for trial in made}["qps=50 burst=100"] == {
        "transport_its_qps": 50, "transport_its_burst": 100
    }  # fmt: skip


def test_a_long_run_is_compressed_whole() -> None:
    (trial,) = planned("long-run", compression=96)
    # One pod a minute for 48 h is 2880; 96 times faster, one every 0.625 s, each living 208 ms.
    assert str(trial.load) == "steppedLoad burstSize=1 stepDelay=0.625"
    assert (trial.policies, trial.copies_each, trial.objects) == (4, 720, 2880)
    (pod,) = trial.content.bodies(Place(name="n", namespace="ns", op="o", copy=0))
    assert pod.manifest["metadata"]["annotations"]["fleet-testbed/lifetime"] == "208.333ms"


def test_a_long_run_has_enough_profiles_however_compressed_it_is() -> None:
    spec = LongRun(experiment="long-run", name="long-run", compression=96)
    assert (spec.profiles.enabled, spec.profiles.interval) == (True, 3600)
    assert spec.paced_profiles.interval == pytest.approx(1800 / 8)
    assert LongRun(experiment="long-run", name="long-run").paced_profiles == spec.profiles


def test_what_etcd_would_refuse_is_refused_before_the_run() -> None:
    limits = ClientLimits(max_num_wrapped=1000, max_size_wrapped=10_000_000)
    made = planned("workload-size", objects=[200], bytes=[10_000])
    with pytest.raises(UsageError, match=r"a ManifestWork of a policy would be about 2\d{6} bytes, etcd takes 1572864"):
        check_loads(made, limits)


def test_what_the_limits_hold_up_beyond_the_timeout_is_refused_with_the_numbers() -> None:
    made = planned("policy-scaling", policies=[4], repeats=1)
    # 4 policies of 38 objects in 4 WECs: 608 ManifestWorks of two calls, 10 at once and 5 a second: 241.2 s, and 2 s.
    told = r"policies=4, repeat 1: 152 objects, 608 copies in WECs; .* alone require 241 s \(most: transport_its_qps\)"
    with pytest.raises(UsageError, match=told + ", and 200s are allowed"):
        check_loads(made, ClientLimits(), 200.0)
    check_loads(made, ClientLimits(), 300.0)
    check_loads(made, ClientLimits(max_num_wrapped=50), 30.0)
    # What is sent late may come late: here the last of three objects leaves after 20 s.
    shape = {"steppedLoad": {"burstSize": 1, "stepDelay": 10.0}}
    slow = planned("wec-scaling", wecs=[4], workload={"kind": "configmap", "objects": 3}, load=shape, warmup=0)
    check_loads([trial for trial in slow if trial.layout == "one-to-many"], ClientLimits(transport_its_qps=1), 1.0)


class Session:
    """As much of a session as a refit needs."""

    def __init__(self) -> None:
        self.progress = self.sampling = self
        self.notes: list[str] = []
        self.resting: list[list[str]] = []

    async def rest(self, clusters: list[str]) -> None:
        self.resting.append(clusters)

    def note(self, text: str) -> None:
        self.notes.append(text)

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        self.notes.append(name)
        yield


async def test_a_fleet_gets_its_own_limits_back_whatever_happens() -> None:
    given: list[float] = []
    links: list[Link | None] = []
    served: list[int] = []

    async def reconfigure(limits: Any, link: Link | None, serving: int, _nodes: object, _release: object) -> None:
        given.append(limits["transport_its_qps"])
        links.append(link)
        served.append(serving)

    session: Any = Session()

    async def run() -> None:
        whole = fleet_file(2, wdses=3)
        fleet = whole.model_copy(update={"manager": whole.manager.model_copy(update={"served": None})})
        async with Refitted(session, reconfigure, fleet) as refitted:
            for qps in (50.0, 50.0, 1000.0):
                await refitted.have({"transport_its_qps": qps})
            await refitted.have({"transport_its_qps": 1000.0}, Link(rtt=0.04))
            await refitted.have({"transport_its_qps": 1000.0}, Link(rtt=0.04), 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run()
    assert given == [50.0, 1000.0, 1000.0, 1000.0, 5.0]
    assert links == [None, None, Link(rtt=0.04), Link(rtt=0.04), None]
    assert served == [3, 3, 3, 2, 3]
    assert session.notes.count("reconfigure") == 5
    assert "giving the fleet kubestellar for 2 of 3 sources" in session.notes
    # While programs come and go nobody reads their pages.
    assert session.resting[-4:] == [["wds3"], ["wds3"], ["wds3"], []]
    assert "giving the fleet links with rtt 40ms" in session.notes
    assert "giving the fleet transport_its_qps=5, its own links, kubestellar for 3 of 3 sources" in session.notes


async def test_a_change_that_failed_half_way_is_repaired_at_the_end() -> None:
    """Also when it was the change to the fleet's own limits: what failed may have left anything."""
    given: list[float] = []
    failing = True

    async def reconfigure(limits: Any, _link: Link | None, _serving: int, _nodes: object, _release: object) -> None:
        given.append(limits["transport_its_qps"])
        if failing and limits["transport_its_qps"] == 5:
            raise FleetError("half of the machines were reached")

    session: Any = Session()

    async def run() -> None:
        nonlocal failing
        async with Refitted(session, reconfigure, fleet_file(2)) as refitted:
            await refitted.have({"transport_its_qps": 50.0})
            try:
                await refitted.have({})
            finally:
                failing = False

    with pytest.raises(FleetError, match="half of the machines"):
        await run()
    assert given == [50.0, 5.0, 5.0]


async def test_a_change_that_failed_is_made_again_when_it_is_wanted_again() -> None:
    given: list[float] = []

    async def reconfigure(limits: Any, _link: Link | None, _serving: int, _nodes: object, _release: object) -> None:
        given.append(limits["transport_its_qps"])
        if len(given) == 1:
            raise FleetError("not this time")

    session: Any = Session()
    async with Refitted(session, reconfigure, fleet_file(2)) as refitted:
        with pytest.raises(FleetError):
            await refitted.have({"transport_its_qps": 50.0})
        await refitted.have({"transport_its_qps": 50.0})
        await refitted.have({"transport_its_qps": 50.0})
    assert given == [50.0, 50.0, 5.0]


def test_wdses_share_the_policies_of_a_point() -> None:
    made = {one.point: one for one in over(["wds1", "wds2", "wds3", "wds4"], "wds-scaling", wdses=[4, 1], policies=6)}
    assert {point: (t.sources, t.serving, t.policies, t.policies_of_one, t.objects) for point, t in made.items()} == {
        "wdses=1": (("wds1",), 1, 6, 6, 6),
        "wdses=4": (("wds1", "wds2", "wds3", "wds4"), 4, 6, 2, 6),
    }
    policies = trial_policies(made["wdses=4"], NAMES)
    assert [policy.source for policy in policies] == ["wds1", "wds2", "wds3", "wds4", "wds1", "wds2"]
    assert len({policy.name for policy in policies}) == 6
    # Each WDS has buckets of its own: 6 policies of 4 works are (48 - 10) / 5 = 7.6 s, 2 of them (16 - 10) / 5 = 1.2 s.
    with pytest.raises(UsageError, match=r"wdses=1.* alone require 8 s"):
        check_loads([made["wdses=1"]], ClientLimits(), 2.0)
    check_loads([made["wdses=4"]], ClientLimits(), 2.0)
    with pytest.raises(ValueError, match="policies: 3 are too few for 4 sources"):
        MODELS["wds-scaling"].model_validate({"experiment": "wds-scaling", "policies": 3})


def test_links_are_swept_together_with_what_the_fleet_is_changed_to() -> None:
    made = planned(
        "link-latency", layouts=["one-to-one", "one-to-many"], rtts=["0ms", "40ms"], jitter="10ms", repeats=2
    )
    changes = [one.link for one in made]
    # One change per delay: both layouts of a delay run before the next.
    assert len([1 for was, now in pairwise(changes) if was != now]) == 1
    assert {(one.point, one.link) for one in made} == {
        ("rtt_ms=0", Link()),
        ("rtt_ms=40", Link(rtt=0.04, jitter=0.01)),
    }
