"""karpenter-scale through the whole frame, on a fake API server with Karpenter, controllers and scheduler played."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fleet.analysis.study import analyse
from fleet.errors import UsageError
from fleet.experiment.progress import RunProgress, Silent
from fleet.experiment.runner import Outcome, Runner, plan
from fleet.experiments.karpenter_scale import marks, objects
from fleet.experiments.karpenter_scale import spec as file
from fleet.experiments.karpenter_scale.experiment import EXPERIMENT
from fleet.experiments.karpenter_scale.spec import KarpenterScale
from fleet.kube import resources
from fleet.model.fleet_file import FleetFile, PlatformOf
from fleet.platforms.karpenter import names
from fleet.report.exports.junit import JunitReporter
from fleet.report.html import page
from fleet.results.folder import RunFolder
from tests.unit.experiment.plain_fleets import PlainFleet
from tests.unit.experiment.stand_in import ensure, set_status

PER_NODE = 4
READY = ("Launched", "Registered", "Initialized")


class KarpenterFleet(PlainFleet):
    """One WEC whose Deployments get pods, and NodePools a NodeClaim for four of them."""

    lost = ""
    """A pod of this name never runs."""
    hurt = ""
    """A pod of this name is disrupted once, when there are fewer pods."""

    def file(self) -> FleetFile:
        """With the platform."""
        platform = PlatformOf(name="karpenter", version="v1.8.0", wecs=("wec001",))
        return super().file().model_copy(update={"platforms": (platform,), "wec_nodes": 1})

    def begin(self) -> None:
        """Karpenter is installed."""
        self.store = self.wecs["wec001"].store
        for resource in (names.NODE_POOLS, names.NODE_CLAIMS, names.NODE_CLASSES):
            self.store.serve(resource)

    def act(self) -> None:
        """All of them, once."""
        for space in self.store.objects(resources.NAMESPACES):
            account = {"metadata": {"name": "default", "namespace": space["metadata"]["name"]}}
            ensure(self.store, resources.SERVICE_ACCOUNTS, account)
        for deployment in self.store.objects(resources.DEPLOYMENTS):
            self._pods(deployment)
        claims = [claim["metadata"]["name"] for claim in self.store.objects(names.NODE_CLAIMS)]  # of the look before
        for pool in self.store.objects(names.NODE_POOLS):
            self._nodes(pool)
        for number, pod in enumerate(self.store.objects(resources.PODS)):
            self._run_on(pod, claims[number // PER_NODE] if number // PER_NODE < len(claims) else "")

    def _pods(self, deployment: Mapping[str, Any]) -> None:
        meta, spec = deployment["metadata"], deployment["spec"]
        wanted = [f"{meta['name']}-{number}" for number in range(spec["replicas"])]
        for name in wanted:
            own = {"name": name, "namespace": meta["namespace"], "ownerReferences": [{"uid": meta["uid"]}],
                   "labels": spec["template"]["metadata"]["labels"]}  # fmt: skip
            if name not in {pod["metadata"]["name"] for pod in self.store.objects(resources.PODS)}:
                self.store.create(resources.PODS, {"metadata": own, "spec": dict(spec["template"]["spec"])})
        for pod in self.store.objects(resources.PODS):
            owners = {owner["uid"] for owner in pod["metadata"].get("ownerReferences", ())}
            unwanted = pod["metadata"]["name"] not in wanted
            if not unwanted and pod["metadata"]["name"] == self.hurt and self._fewer():
                self.hurt, unwanted = "", True
            if meta["uid"] in owners and unwanted:
                self.store.delete(resources.PODS, pod["metadata"]["name"], meta["namespace"])

    def _fewer(self) -> bool:
        small = [one for one in self.store.objects(resources.DEPLOYMENTS) if one["metadata"]["name"] == "t000-small"]
        return small[0]["spec"]["replicas"] < 5

    def _nodes(self, pool: Mapping[str, Any]) -> None:
        meta, template = pool["metadata"], pool["spec"]["template"]["metadata"]
        kind = (template.get("annotations") or {}).get(objects.DRIFT, "")
        count = -(-len(self.store.objects(resources.PODS)) // PER_NODE)
        wanted = [f"{meta['name']}-{kind}{number}" for number in range(count)]
        for name in wanted:
            own = {"name": name, "labels": template["labels"], "ownerReferences": [{"uid": meta["uid"]}]}
            ensure(self.store, names.NODE_CLAIMS, {"metadata": own})
            status = {"nodeName": f"node-{name}", "allocatable": {"cpu": "16", "memory": "128Gi"},
                      "conditions": [{"type": each, "status": "True"} for each in READY]}  # fmt: skip
            set_status(self.store, names.NODE_CLAIMS, name, None, status)
        for claim in self.store.objects(names.NODE_CLAIMS):
            if claim["metadata"]["name"] not in wanted:
                self.store.delete(names.NODE_CLAIMS, claim["metadata"]["name"])

    def _run_on(self, pod: Mapping[str, Any], claim: str) -> None:
        meta = pod["metadata"]
        if not claim or meta["name"] == self.lost or (pod.get("status") or {}).get("phase") == "Running":
            return
        self.store.update(
            resources.PODS, meta["name"], meta["namespace"],
            lambda old: {**old, "spec": {**old["spec"], "nodeName": f"node-{claim}"}, "status": {"phase": "Running"}},
        )  # fmt: skip


@pytest.fixture
async def fleet(state: Path) -> AsyncIterator[KarpenterFleet]:
    async with KarpenterFleet(state, 1) as stand_in:
        yield stand_in


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Karpenter of this file decides at once."""
    monkeypatch.setattr(file, "DECIDED", 0.0)


def spec(**fields: Any) -> KarpenterScale:
    base = {"experiment": "karpenter-scale", "scenarios": ["basic"], "share": 0.01, "quiet": "1s",
            "consolidate_after": "1s", "sample_interval": "1s"}  # fmt: skip
    return KarpenterScale.model_validate(base | fields)


class Reached(Silent):
    """The last that each step said of how far it is."""

    def __init__(self) -> None:
        self.name = ""
        self.steps: dict[str, tuple[int, int]] = {}

    def step(self, name: str) -> None:
        """The one that follows."""
        self.name = name

    def marks(self, done: int, total: int) -> None:
        """Kept."""
        self.steps[self.name] = (done, total)


async def run(fleet: KarpenterFleet, chosen: KarpenterScale, progress: RunProgress | None = None) -> Outcome:
    results = fleet.folder.parent / "results"
    return await Runner(fleet.file(), fleet.folder, EXPERIMENT, chosen, results, progress=progress or Silent()).run()


async def test_both_phases_packing_and_the_five_parts(fleet: KarpenterFleet) -> None:
    reached = Reached()
    outcome = await run(fleet, spec(scenarios=["basic", "drift"]), reached)
    assert reached.steps[marks.SCALE_OUT] == (6, 6)
    assert reached.steps[marks.CHANGE] == (6, 6)
    done, total = reached.steps[marks.DELETE]
    assert done == total
    study = analyse(RunFolder.open(outcome.folder))
    rows = {(row.stage, row.point): (row.count, row.missing) for row in study.rows}
    basic, drift = "scenario=basic", "scenario=drift"
    assert rows["pod_pending", basic] == rows["pod_started", basic] == (10, 0)
    assert rows["claim_ready", basic] == (3, 0)
    assert rows["basic_scale_out", basic] == rows["basic_consolidation", basic] == (1, 0)
    assert rows["drift_scale_out", drift] == rows["drift_replacement", drift] == (1, 0)

    tables = {table.name: table for table in study.own.tables}
    first, second = tables["outcome"].rows[0], dict(zip(("basic", "drift"), tables["change"].rows, strict=True))
    assert (first[2], first[5]) == (10, 3)
    # 4 + 4 + 2 pods, 5 of 900m and 5 of 3500m, on 3 nodes of 16 CPUs: the mean over nodes of what is reserved.
    assert first[6] == pytest.approx(100 * (5 * 0.9 + 5 * 3.5) / 16 / 3)
    assert (second["basic"][3], second["basic"][5]) == (8, 2)
    assert second["drift"][2] == "drift"
    assert second["drift"][8:10] == [2, 2]
    assert {row[-1] for row in tables["upstream"].rows} == {"not judged: another size"}
    assert study.failures == []
    assert study.own.said[0].startswith("basic: 10 pods ran after")
    text = page(study)
    for part in ("outcome", "upstream", "creation", "scheduling", "management", "clean-up", "kwok"):
        assert f'id="{part}"' in text, part
    for resource in (names.NODE_POOLS, names.NODE_CLAIMS, resources.DEPLOYMENTS, resources.PODS):
        assert fleet.store.objects(resource) == [], resource
    assert fleet.leftovers() == []


async def test_a_pod_that_never_runs_is_missing_and_the_run_not_valid(fleet: KarpenterFleet) -> None:
    fleet.lost = "t000-small-1"
    outcome = await run(fleet, spec(timeouts={"object": "1s"}, change="3s"))
    study = analyse(RunFolder.open(outcome.folder))
    rows = {row.stage: (row.count, row.missing) for row in study.rows}
    assert outcome.verdict in ("partial", "invalid")
    assert rows["pod_started"] == (9, 1)
    assert rows["basic_scale_out"] == rows["basic_consolidation"] == (0, 1)
    assert "not all of 10 pods ran" in study.own.said[0]


async def test_upstreams_assertions_fail_a_run_of_its_size(
    fleet: KarpenterFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fleet.experiments.karpenter_scale import scenarios as known  # noqa: PLC0415 - the table that is shortened

    small = known.scaled(known.SCENARIOS["basic"], 0.01)
    monkeypatch.setitem(known.SCENARIOS, "basic", small)
    outcome = await run(fleet, spec(share=1.0))
    study = analyse(RunFolder.open(outcome.folder))
    failed = {(one.stage, one.test) for one in study.failures}
    assert ("basic_scale_out", "CPU reserved > 53 %") in failed
    assert ("basic_scale_out", "time < 120 s") not in failed
    cases = {
        case.get("name", ""): case.find("failure") is not None
        for case in ET.fromstring(JunitReporter().files(study)["junit.xml"]).iter("testcase")  # noqa: S314 - our own
        if case.get("classname", "").endswith("assertion")
    }
    assert cases["basic_scale_out (scenario=basic): CPU reserved > 53 %"]
    assert not cases["basic_scale_out (scenario=basic): time < 120 s"]


async def test_a_protected_pod_that_goes_breaks_an_assertion(fleet: KarpenterFleet) -> None:
    fleet.hurt = "t000-protected-1"
    outcome = await run(fleet, spec(scenarios=["do-not-disrupt"]))
    study = analyse(RunFolder.open(outcome.folder))
    (table,) = [table for table in study.own.tables if table.name == "upstream"]
    assert [row[4] for row in table.rows if row[2] == "protected pods disrupted"] == [1.0]


def test_what_cannot_be_held_is_refused_with_the_numbers(tmp_path: Path) -> None:
    whole = KarpenterFleet(tmp_path, 1).file()
    trials = plan(whole, EXPERIMENT, spec(scenarios=["wide", "drift"], share=1.0, repeats=2))
    assert [str(trial) for trial in trials[:2]] == [
        "scenario=wide, 1000 pods, repeat 1",
        "scenario=drift, 600 pods, repeat 1",
    ]
    assert len(trials) == 4
    with pytest.raises(UsageError, match=r"has no Karpenter: fleet up .*platform=karpenter"):
        plan(whole.model_copy(update={"platforms": ()}), EXPERIMENT, spec())
    monster = spec(scenarios=["xl"], share=10.0).model_copy(update={"share": 1000.0})
    with pytest.raises(UsageError, match=r"xl has 2000000 pods, which need about 2929\.7 GiB, and this machine has"):
        plan(whole, EXPERIMENT, monster)


def test_times_that_karpenter_cannot_keep_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "DECIDED", 35.0)
    with pytest.raises(ValidationError, match=r"quiet: must be at least consolidate_after and 35 s \(65s\)"):
        spec(consolidate_after="30s", quiet="1m")
    with pytest.raises(ValidationError, match="whole seconds"):
        spec(consolidate_after="500ms")
    with pytest.raises(ValidationError, match="each scenario once"):
        spec(scenarios=["wide", "wide"])
