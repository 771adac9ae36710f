"""What each fault may be done to, and what it refuses before anything is touched."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.errors import SpecError
from fleet.faults.fault import Aim
from fleet.faults.registry import FAULTS, planned
from fleet.faults.targets import chooser
from fleet.model.during import DuringStep
from fleet.model.fleet_file import Cluster, Component, FleetFile
from fleet.model.link import Link
from tests.unit.faults.plain import PLAIN


def aims(fleet: FleetFile, *, seed: int = 1, **fields: Any) -> list[Aim]:
    step = DuringStep.model_validate({"at": "1s", "target": "its1", **fields})
    return [aim for one in planned([step], fleet, ["t000", "t001"], PLAIN, seed=seed) for aim in one.aims]


def linked(fleet: FleetFile) -> FleetFile:
    """With a link on its machine, and a manager whose hub is its1."""
    machine = fleet.machines[0].model_copy(update={"wan": Link()})
    program = Component(program="link", component="link", machine="local", argv=["x", "--upstream=127.0.0.1:1"])
    manager = fleet.manager.model_copy(update={"name": "m", "source": "wds", "transport": "its"})
    return fleet.model_copy(
        update={"machines": [machine], "components": [*fleet.components, program], "manager": manager}
    )


def of_process(fleet: FleetFile) -> FleetFile:
    """Its first WEC has processes of its own."""
    wec = fleet.clusters[2].model_copy(update={"driver": "process"})
    own = [
        Component(program=f"{word}.wec001", component=word, machine="local", cluster="wec001")
        for word in ("etcd", "kube-apiserver")
    ]
    return fleet.model_copy(
        update={"clusters": [*fleet.clusters[:2], wec, *fleet.clusters[3:]], "components": [*fleet.components, *own]}
    )


def test_a_share_of_the_wecs_is_chosen_by_the_seed_and_at_least_one() -> None:
    names = [f"wec{number:03d}" for number in range(1, 10)]
    third = chooser("1/0/")(names, "1/3")
    assert len(third) == 3
    assert third == chooser("1/0/")(names, "1/3") == sorted(third)
    assert any(chooser(f"{seed}/0/")(names, "1/3") != third for seed in range(5))
    assert len(chooser("1")(names[:2], "1/3")) == 1
    assert chooser("1")(names, None) == names


def test_wecs_are_one_aim_per_machine(fleet: FleetFile) -> None:
    other = fleet.machines[0].model_copy(update={"name": "m2"})
    moved = fleet.clusters[3].model_copy(update={"machine": "m2"})
    two = fleet.model_copy(update={"machines": [fleet.machines[0], other], "clusters": [*fleet.clusters[:3], moved]})
    found = aims(two, action="stop", target="wecs")
    assert [(aim.machine, aim.planes, aim.clusters) for aim in found] == [
        ("local", ["wec001"], ["wec001"]),
        ("m2", ["wec002"], ["wec002"]),
    ]
    assert {aim.key for aim in found} == {"000-stop"}


def managed(fleet: FleetFile) -> FleetFile:
    """With a manager that has a source, a transport, and an agent for each WEC."""
    agents = [
        Component(program=f"agent.{wec}", component="agent", machine="local", cluster=wec)
        for wec in ("wec001", "wec002")
    ]
    manager = fleet.manager.model_copy(update={"name": "m", "source": "wds", "transport": "its"})
    return fleet.model_copy(update={"components": [*fleet.components, *agents], "manager": manager})


@pytest.mark.parametrize(
    ("action", "target", "planes", "parts"),
    [
        ("stop", "transport", ["its1"], []),
        ("stop", "hub", ["its1", "wds1"], []),
        ("kill", "etcd.transport", [], ["etcd.its1"]),
        ("pause", "manager", [], ["transport.wds1", "registration.its1"]),
        ("pause", "agents", [], ["agent.wec001", "agent.wec002"]),
    ],
)
def test_some_words_mean_something_under_every_manager(
    action: str, target: str, planes: list[str], parts: list[str], fleet: FleetFile
) -> None:
    (aim,) = aims(managed(fleet), action=action, target=target)
    assert (aim.target, aim.planes, aim.parts) == (target, planes, parts)


def test_a_share_of_the_agents_is_those_of_so_many_wecs(fleet: FleetFile) -> None:
    (aim,) = aims(managed(fleet), action="stop", target="agents", share="1/2")
    assert len(aim.parts) == 1


def test_a_word_that_names_nothing_here_or_too_much_is_refused(fleet: FleetFile) -> None:
    with pytest.raises(SpecError, match=r"during\.0\.target: the fleet demo has no source \(its manager is m\)"):
        aims(fleet, action="stop", target="source")
    both = of_process(managed(fleet)).model_copy(
        update={"components": [*of_process(managed(fleet)).components,
                               Component(program="etcd.wds1", component="etcd", machine="local", cluster="wds1")]}
    )  # fmt: skip
    with pytest.raises(SpecError, match="restore is done to one target at a time"):
        aims(both, action="restore", target="hub")


def test_a_control_plane_of_processes_is_all_of_its_programs(fleet: FleetFile) -> None:
    (aim,) = aims(of_process(fleet), action="pause", target="wec001")
    assert (aim.parts, aim.clusters) == (["etcd.wec001", "kube-apiserver.wec001"], ["wec001"])


@pytest.mark.parametrize("action", ["kill", "pause", "restart-loop"])
def test_one_of_many_in_a_process_has_none_of_its_own(action: str, fleet: FleetFile) -> None:
    with pytest.raises(SpecError, match=r"during\.0\.target: wec001 has no processes of its own \(driver dense\)"):
        aims(fleet, action=action, target="wec001")


def test_a_store_is_named_by_its_control_plane_or_by_itself(fleet: FleetFile) -> None:
    (own,) = aims(of_process(fleet), action="restore", target="wec001")
    assert own.parts == ["etcd.wec001"]
    assert (own.facts, own.programs) == ({"store": "wec001"}, ["etcd.wec001", "kube-apiserver.wec001"])
    assert own.rewinds
    (shared,) = aims(fleet, action="restore", target="etcd.dense-0")
    assert shared.clusters == ["wec001", "wec002"]
    assert shared.programs == ["etcd.dense-0", "dense.0"]
    with pytest.raises(SpecError, match="wec001 has no etcd of its own, so restore takes every control plane"):
        aims(fleet, action="restore", target="wec001")


@pytest.mark.parametrize("action", ["disconnect", "partition", "bandwidth", "api-errors"])
def test_the_network_needs_something_between_agents_and_hub(action: str, fleet: FleetFile) -> None:
    hubbed = linked(fleet).model_copy(update={"machines": fleet.machines})
    with pytest.raises(SpecError, match=r"during\.0\.target: the machine local reaches the hub .*wan"):
        aims(hubbed, action=action, target="local")
    with pytest.raises(SpecError, match=r"has no machine 'locl'; did you mean `local`"):
        aims(hubbed, action=action, target="locl")


def test_a_link_is_led_to_where_the_hub_is(fleet: FleetFile) -> None:
    (aim,) = aims(linked(fleet), action="api-errors", target="local", **{"with": {"share": "1/4", "codes": [500]}})
    assert aim.facts["plane"] == "its1"
    assert (aim.settings["share"], aim.settings["codes"], aim.facts["upstream"]) == ("1/4", [500], "127.0.0.1:1")


def test_machines_that_the_network_parts_drop_each_by_itself(fleet: FleetFile) -> None:
    hubbed = linked(fleet)
    far = fleet.machines[0].model_copy(update={"name": "m2", "address": "10.9.0.3", "connection": "ssh"})
    hub = hubbed.clusters[0].model_copy(update={"server": "https://10.9.0.2:6443"})
    there = hubbed.clusters[3].model_copy(update={"machine": "m2"})
    two = hubbed.model_copy(
        update={"machines": [fleet.machines[0], far], "clusters": [hub, *hubbed.clusters[1:3], there]}
    )
    both = aims(two, action="partition", target="m2")
    assert [(aim.machine, aim.facts["peer"]) for aim in both] == [("m2", "10.9.0.2"), ("local", "10.9.0.3")]
    (one,) = aims(two, action="partition", target="m2", **{"with": {"direction": "to-hub"}})
    assert one.machine == "m2"
    (other,) = aims(two, action="partition", target="m2", **{"with": {"direction": "from-hub"}})
    assert other.machine == "local"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"action": "restart-loop", "target": "dense.0", "with": {"evry": "1s"}}, r"did you mean `every`"),
        ({"action": "restart-loop", "target": "dense.0", "with": {"every": 3}}, r"with: .*every"),
        ({"action": "stop", "with": {"every": "1s"}}, r"during\.0\.with: stop: every: unknown field"),
        ({"action": "disk-slow", "target": "etcd.its1", "with": {"iops": 0}}, r"iops"),
        ({"action": "crd", "with": {}}, "a CRD's name is missing"),
        ({"action": "restart-fleet", "target": "its1"}, "write `target: fleet`"),
        ({"action": "expire-certificate", "target": "its1"}, "is no agent of a WEC"),
        ({"action": "webhook", "target": "dense.0"}, "has no control plane 'dense.0'"),
    ],
)
def test_what_is_wrong_names_the_field(fields: dict[str, Any], words: str, fleet: FleetFile) -> None:
    with pytest.raises(SpecError, match=words):
        aims(fleet, **fields)


def test_everything_is_one_aim_per_machine(fleet: FleetFile) -> None:
    (aim,) = aims(fleet, action="restart-fleet", target="fleet")
    assert aim.clusters == ["its1", "wds1", "wec001", "wec002"]
    assert len(aim.programs) == len(fleet.components)


def test_a_cluster_that_somebody_else_built_is_left_alone(fleet: FleetFile) -> None:
    clusters: list[Cluster] = [cluster.model_copy(update={"driver": "existing"}) for cluster in fleet.clusters]
    foreign = fleet.model_copy(update={"clusters": clusters, "components": []})
    for name in FAULTS:
        more = {"with": {"name": "x.y"}} if name == "crd" else {}
        target = "fleet" if name == "restart-fleet" else "its1"
        with pytest.raises(SpecError):
            aims(foreign, action=name, target=target, **more)
