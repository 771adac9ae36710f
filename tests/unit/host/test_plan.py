"""What each driver would put on a machine, as golden transcripts, and the rules of sharding and validation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import UsageError
from fleet.host.components import controllers
from fleet.host.drivers.dense.driver import assign
from fleet.host.drivers.dense.plan import Shard, plan_instance, plan_shard
from fleet.host.drivers.process.driver import plan_process
from fleet.host.drivers.process.small import SETTLED_GOGC
from fleet.host.machine import Machine, Options
from fleet.host.plan import ControlPlane, Extra, Plan
from fleet.host.ports import Block
from fleet.host.program_folders import ProgramFolders
from fleet.host.validate import check_planes
from fleet.simulators.kwok.program import node_names, plan_hosts, plan_kwok
from tests.unit.golden import check_golden

MACHINE = Machine(
    "demo", Path("/STATE/demo"), ProgramFolders((Path("/TOOLCHAIN"),), check=True), Options(parallelism=2)
)
EXTRA = Extra(
    apiserver=("--v=2",), etcd=("--log-level=info",), kcm=("--v=3",), scheduler=("--v=4",),
    env={"GODEBUG": "x"}, env_of={"apiserver": {"GODEBUG": "y"}, "etcd": {"ETCD_LOG_FORMAT": "console"}},
)  # fmt: skip


def golden(name: str, plan: Plan) -> None:
    check_golden(f"host/{name}.txt", plan.transcript())


def block(owner: str, start: int, count: int = 3) -> Block:
    return Block("demo", owner, start, count)


def test_process_its() -> None:
    golden("process-its", plan_process(MACHINE, ControlPlane("its1", "its", signs=True), block("its1", 16_000)))


def test_process_wds() -> None:
    golden("process-wds", plan_process(MACHINE, ControlPlane("wds1", "wds"), block("wds1", 16_003)))


def test_process_hub_that_passes_requests_on() -> None:
    plane = ControlPlane("karmada1", "hub", aggregates=True)
    golden("process-aggregating", plan_process(MACHINE, plane, block("karmada1", 16_009)))


def test_process_wec_with_extra_arguments() -> None:
    plane = ControlPlane("wec001", "wec", "process", extra=EXTRA)
    golden("process-wec", plan_process(MACHINE, plane, block("wec001", 16_006)))


@pytest.mark.parametrize(
    ("plane", "percents"),
    [
        (ControlPlane("wec001", "wec"), ["40 20", "25 20", "40 20", "40 20"]),
        (ControlPlane("wec001", "wec", shipped=True), [""] * 4),
        # A percent of the user's holds from the start on.
        (
            ControlPlane("wec001", "wec", extra=Extra(env_of={"etcd": {"GOGC": "100"}})),
            ["100", "25 20", "40 20", "40 20"],
        ),
    ],
)
def test_process_wecs_are_small_at_rest_or_as_shipped(plane: ControlPlane, percents: list[str]) -> None:
    programs = [planned.program for planned in plan_process(MACHINE, plane, block("wec001", 16_006)).programs]
    found = [
        " ".join(program.env[name] for name in ("GOGC", SETTLED_GOGC) if name in program.env) for program in programs
    ]
    assert found == percents
    gated = any("DetectCacheInconsistency=false" in word for program in programs for word in program.argv)
    assert gated is not plane.shipped


def test_dense_shard_of_two() -> None:
    shard = Shard(0, 16_000, 16_001)
    planes = [ControlPlane(name, "wec", "dense") for name in ("wec001", "wec002")]
    parts = [plan_instance(MACHINE, shard, plane, 16_002 + i) for i, plane in enumerate(planes)]
    golden("dense", Plan.merge([plan_shard(MACHINE, shard, planes), *parts]))


def test_a_bare_control_plane_has_an_api_server_alone() -> None:
    plane = ControlPlane("wec001", "wec", "dense", bare=True)
    planned = plan_instance(MACHINE, Shard(0, 16_000, 16_001), plane, 16_002)
    (instance,) = [json.loads(text.text) for text in planned.texts if text.path.parent.name == "instances"]
    assert (instance["controllers"], instance["kcm_kubeconfig"], instance["scheduler_kubeconfig"]) == ([], "", "")
    assert [kubeconfig.path.name for kubeconfig in planned.kubeconfigs] == ["kubeconfig"]
    (record,) = [json.loads(text.text) for text in planned.texts if text.path.name == "plane.json"]
    assert record["bare"] is True
    process = plan_process(MACHINE, ControlPlane("wec001", "wec", bare=True), block("wec001", 16_000))
    assert [program.component for program in process.programs] == ["etcd", "kube-apiserver"]


def test_kwok() -> None:
    golden("kwok", plan_kwok(MACHINE, ControlPlane("wec001", "wec"), "https://127.0.0.1:16000"))


def _hosted(*planes: ControlPlane) -> Plan:
    machine = replace(MACHINE, options=replace(MACHINE.options, hosted=True, shard_size=2))
    plans = [plan_kwok(machine, plane, "https://127.0.0.1:16000") for plane in planes]
    return Plan.merge([plan_hosts(plans, machine), *plans])


def test_kwoks_of_neighbours_are_in_one_process() -> None:
    golden("kwok-hosted", _hosted(ControlPlane("wec001", "wec"), ControlPlane("wec003", "wec")))


def test_a_kwok_that_comes_or_goes_changes_no_other_and_no_host() -> None:
    two = _hosted(ControlPlane("wec001", "wec"), ControlPlane("wec002", "wec"))
    one = _hosted(ControlPlane("wec002", "wec"))
    gone = {program.program.name for program in two.programs} - {program.program.name for program in one.programs}
    assert gone == {"kwok.wec001"}
    assert all(program in two.programs for program in one.programs)


def test_a_kwok_with_an_environment_of_its_own_is_a_process_of_its_own() -> None:
    made = _hosted(ControlPlane("wec001", "wec", extra=Extra(env_of={"simulator": {"GOGC": "10"}})))
    (program,) = made.programs
    assert (program.program.name, Path(program.program.argv[0]).name) == ("kwok.wec001", "kwok")


def test_planes_that_share_nothing_are_upstreams() -> None:
    machine = replace(MACHINE, options=replace(MACHINE.options, sharing=False))
    shard, plane = Shard(0, 16_000, 16_001), ControlPlane("wec001", "wec", "dense")
    host = json.loads(plan_shard(machine, shard, [plane]).texts[0].text)
    assert (host["sharing"], host["feature_gates"]) == (False, {})
    instance = json.loads(plan_instance(machine, shard, plane, 16_002).texts[-1].text)
    assert (instance["openapi"], instance["apiserver_extra_args"]) == (True, [])


def test_sharing_restarts_the_process_and_openapi_does_not() -> None:
    shard, plane = Shard(0, 16_000, 16_001), ControlPlane("wec001", "wec", "dense")

    def host(options: Options) -> Any:
        return plan_shard(replace(MACHINE, options=options), shard, [plane]).programs[1]

    usual = MACHINE.options
    assert host(usual) != host(replace(usual, sharing=False))
    assert host(usual) == host(replace(usual, openapi=True))


def test_api_servers_of_wecs_dial_and_verify_kubelets_where_nodes_have_them() -> None:
    dialling = replace(MACHINE, options=replace(MACHINE.options, kubelets=True))
    process = plan_process(dialling, ControlPlane("wec001", "wec"), block("wec001", 16_006))
    api = next(planned.program.argv for planned in process.programs if planned.component == "kube-apiserver")
    pki = "/STATE/demo/clusters/wec001/pki"
    wanted = {
        "--kubelet-certificate-authority=/STATE/demo/pki/ca.crt",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
    }
    assert wanted <= set(api)
    dense = plan_instance(dialling, Shard(0, 16_000, 16_001), ControlPlane("wec001", "wec", "dense"), 16_002)
    assert wanted <= set(json.loads(dense.texts[-1].text)["apiserver_extra_args"])
    for plan in (process, dense):
        (client,) = [each for each in plan.certificates if each.name == "kubelet-client"]
        assert client.subject.organizations == ("system:masters",)
    hub = plan_process(dialling, ControlPlane("its1", "its"), block("its1", 16_000))
    assert not [each for each in hub.certificates if each.name == "kubelet-client"]


def test_adding_a_wec_changes_nothing_of_the_shards_own_part() -> None:
    shard = Shard(0, 16_000, 16_001)
    one, two = (ControlPlane(name, "wec", "dense") for name in ("wec001", "wec002"))
    assert plan_shard(MACHINE, shard, [one]) == plan_shard(MACHINE, shard, [one, two])


def test_only_the_its_signs_and_the_wds_runs_no_workload_controller() -> None:
    hub, signing, wec = (
        controllers(ControlPlane("wds1", "wds")),
        controllers(ControlPlane("its1", "its", signs=True)),
        controllers(ControlPlane("wec001", "wec")),
    )
    signer = "certificatesigningrequest-signing-controller"
    assert [signer in names for names in (hub, signing, wec)] == [False, True, False]
    workload = ("deployment", "replicaset", "job", "daemonset")
    assert not [name for name in (*hub, *signing) if name.startswith(workload)]
    assert [name for name in wec if name.startswith(workload)]
    assert "garbage-collector-controller" in hub


@given(
    existing=st.dictionaries(st.integers(0, 40), st.integers(0, 5)),
    wanted=st.sets(st.integers(0, 40)),
    size=st.integers(1, 10),
)
def test_shards_are_stable_and_bounded(existing: dict[int, int], wanted: set[int], size: int) -> None:
    before = {f"wec{k}": v for k, v in existing.items()}
    names = [f"wec{k}" for k in sorted(wanted)]
    assigned = assign(before, names, size)
    assert set(assigned) == set(names)
    for name in names:
        assert name not in before or assigned[name] == before[name]
    fresh = [name for name in names if name not in before]
    for number in {assigned[name] for name in fresh}:
        kept = sum(1 for name in names if name in before and before[name] == number)
        assert sum(1 for name in names if assigned[name] == number) <= max(size, kept)


def test_shards_fill_from_the_lowest() -> None:
    assert assign({"b": 1}, ["a", "b", "c", "d"], 2) == {"a": 0, "b": 1, "c": 0, "d": 1}


def test_node_names() -> None:
    assert node_names(0) == []
    assert node_names(2) == ["kwok-001", "kwok-002"]


WEC = ControlPlane("wec001", "wec", "dense")


@pytest.mark.parametrize(
    ("planes", "message"),
    [
        ([ControlPlane("../x", "wec")], "'../x' is not a name"),
        ([ControlPlane("Wec", "wec")], "is not a name"),
        ([ControlPlane("wec\n", "wec")], "is not a name"),
        ([ControlPlane("w" * 41, "wec")], "is not a name"),
        ([WEC, WEC], "wec001 is there twice"),
        ([ControlPlane("its1", "its")], "role its is not one of this call's, wec"),
        ([ControlPlane("a", "wec", bind_address="localhost")], "is not an IP address"),
        ([ControlPlane("a", "wec", extra=Extra(apiserver=("v=2",)))], "control_plane_apiserver_extra_args: 'v=2'"),
        ([ControlPlane("a", "wec", extra=Extra(env={"A": "b\nc"}))], "control_plane_env: the value of A"),
        (
            [ControlPlane("a", "wec", extra=Extra(env_of={"etcd": {"A B": "c"}}))],
            "control_plane_etcd_env: 'A B' is not",
        ),
        ([ControlPlane("a", "wec", cast("Any", "vm"))], "control_plane_driver: 'vm' is not one of"),
    ],
)
def test_bad_input_is_refused(planes: list[ControlPlane], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_planes(planes, hub=False)
    assert message in str(refused.value)


def test_the_hub_is_never_dense() -> None:
    with pytest.raises(UsageError, match="system under test"):
        check_planes([ControlPlane("its1", "its", "dense")], hub=True)


def test_settings_of_one_control_plane_come_after_those_of_all() -> None:
    common = Extra(apiserver=("--v=1",), env={"GOGC": "50"}, env_of={"etcd": {"GOGC": "60"}})
    own = common.with_settings({"apiserver_extra_args": ["--v=4"], "env": {"A": "1"}, "simulator_env": {"GOGC": "70"}})
    assert own.apiserver == ("--v=1", "--v=4")
    assert own.environment("etcd", {}) == {"GOGC": "60", "A": "1"}
    assert own.environment("kwok", {}) == {"GOGC": "70", "A": "1"}
    assert common.with_settings({}) == common


def test_hibernation_is_the_processes() -> None:
    shard, plane = Shard(0, 16_000, 16_001), ControlPlane("wec001", "wec", "dense")
    asleep = replace(MACHINE, options=replace(MACHINE.options, hibernate=300.0))
    assert json.loads(plan_shard(asleep, shard, [plane]).texts[0].text)["hibernate_seconds"] == 300
    assert "hibernate_seconds" not in json.loads(plan_shard(MACHINE, shard, [plane]).texts[0].text)
    assert plan_shard(asleep, shard, [plane]).programs[1] != plan_shard(MACHINE, shard, [plane]).programs[1]
