"""The fleet file: read back from what runs, written only when it says something new."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet import __version__
from fleet.errors import UsageError
from fleet.host.layout import Layout
from fleet.host.supervisor_config import Program, render_group
from fleet.inventory.components import command_of, read_components
from fleet.inventory.inspection import Inspection
from fleet.inventory.record import FILE, RecordSpec, begin_record, describe, digest_of, forget, write_record
from fleet.model.build_progress import BuildLog
from fleet.model.fleet_file import Cluster, FleetFile, Machine

VERSIONS = {
    "kube-apiserver": "v1.34.4", "kubestellar-controller-manager": "v0.30.0", "registration-operator": "v1.2.0",
    "ocm-transport-controller": "v0.30.1", "etcd": "v3.6.4", "kwok": "v0.7.0", "work-manager": "v1.2.0",
}  # fmt: skip
"""By the name of the program's file, as a toolchain has them."""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A machine with an ITS, a WEC that is registered and one that is not, and some programs."""
    made = Layout(tmp_path / "demo")
    for name, role, port in (("its1", "its", 16000), ("wec001", "wec", 16003), ("wec002", "wec", 16004)):
        made.cluster(name).mkdir(parents=True)
        plane = {"name": name, "role": role, "driver": "process", "server": f"https://127.0.0.1:{port}"}
        (made.cluster(name) / "plane.json").write_text(json.dumps(plane), encoding="utf-8")
    (made.root / "agents" / "wec001").mkdir(parents=True)
    programs = [
        Program("kube-apiserver.its1", ("/t/kube-apiserver", "--secure-port=16000")),
        Program("transport.wds1", ("/t/ocm-transport-controller", "--metrics-bind-address=127.0.0.1:1", "-v=2")),
        Program("etcd.dense-0", ("/t/etcd",)),
        Program("ocm-agent.wec001", ("/t/registration-operator", "agent", "--note=a b%c 'd' #e")),
        Program("status-agent", ("python", "-m", "fleet.managers.kubestellar.status_agent")),
    ]
    folder = made.supervisor / "conf.d"
    folder.mkdir(parents=True)
    (folder / "all.conf").write_text(render_group(programs, made), encoding="utf-8")
    (made.root / "hub").mkdir()
    (made.root / "hub" / "status-agent.json").write_text('{"metrics_address": "127.0.0.1:2"}', encoding="utf-8")
    return made


def spec(layout: Layout, **changes: object) -> RecordSpec:
    machine = Machine(name="localhost", state_dir=str(layout.root))
    base = {"fleet": "demo", "root": layout.root, "machines": (machine,), "toolchain_digest": "d", "versions": VERSIONS}
    return RecordSpec(**(base | changes))  # type: ignore[arg-type]


def test_components_are_read_back_as_they_were_started(layout: Layout) -> None:
    found = {c.program: c for c in read_components(layout, "localhost", VERSIONS)}
    assert found["ocm-agent.wec001"].argv == ["/t/registration-operator", "agent", "--note=a b%c 'd' #e"]
    assert found["ocm-agent.wec001"].version == "v1.2.0"
    assert found["ocm-agent.wec001"].cluster == "wec001"
    assert (found["kube-apiserver.its1"].version, found["transport.wds1"].version) == ("v1.34.4", "v0.30.1")
    assert found["status-agent"].version == __version__
    assert found["kube-apiserver.its1"].metrics == "https://127.0.0.1:16000/metrics"
    assert found["transport.wds1"].metrics == "http://127.0.0.1:1/metrics"
    assert found["status-agent"].metrics == "http://127.0.0.1:2/metrics"
    assert (found["etcd.dense-0"].component, found["etcd.dense-0"].cluster) == ("etcd", "")
    assert not found["transport.wds1"].emulates


def test_what_plays_wecs_or_their_nodes_is_marked(layout: Layout) -> None:
    programs = [Program("dense.0", ("/t/dense",)), Program("kwok.wec001", ("/t/kwok",))]
    (layout.supervisor / "conf.d" / "planes-dense.conf").write_text(render_group(programs, layout), encoding="utf-8")
    found = {c.program: c for c in read_components(layout, "localhost", VERSIONS)}
    assert (found["dense.0"].emulates, found["kwok.wec001"].emulates, found["kwok.wec001"].cpu_profile) == (
        True, True, False,
    )  # fmt: skip


def test_agents_at_a_further_its_are_known_by_component_and_place(layout: Layout) -> None:
    programs = [
        Program("ocm-agent-its2.wec001", ("/t/registration-operator", "agent")),
        Program("status-agent-its2", ("python", "-m", "fleet.managers.kubestellar.status_agent")),
        Program("registration.its2", ("/t/registration",)),
    ]
    (layout.supervisor / "conf.d" / "agents-its2.conf").write_text(render_group(programs, layout), encoding="utf-8")
    (layout.root / "hub" / "status-agent-its2.json").write_text('{"metrics_address": "127.0.0.1:3"}', encoding="utf-8")
    plane = {"name": "its2", "role": "its", "driver": "process", "server": "https://127.0.0.1:16009"}
    layout.cluster("its2").mkdir(parents=True)
    (layout.cluster("its2") / "plane.json").write_text(json.dumps(plane), encoding="utf-8")
    found = {c.program: c for c in read_components(layout, "localhost", VERSIONS)}
    agent, status = found["ocm-agent-its2.wec001"], found["status-agent-its2"]
    assert (agent.component, agent.cluster, agent.version) == ("ocm-agent", "wec001", "v1.2.0")
    assert (status.component, status.cluster, status.version) == ("status-agent", "its2", found["status-agent"].version)
    assert (status.metrics, found["status-agent"].metrics) == (
        "http://127.0.0.1:3/metrics", "http://127.0.0.1:2/metrics"
    )  # fmt: skip
    assert found["registration.its2"].cluster == "its2"


def test_a_section_without_a_command_has_no_arguments() -> None:
    assert command_of("[program:x]\ndirectory=/") == []


def test_it_is_written_once_private_and_keeps_its_birthday(layout: Layout) -> None:
    path = layout.root / FILE
    first = write_record(spec(layout))
    assert first.changed
    assert path.stat().st_mode & 0o777 == 0o600
    born = FleetFile.model_validate_json(path.read_bytes()).created
    assert not write_record(spec(layout)).changed
    changed = write_record(spec(layout, variables={"transport_its_qps": 1000}))
    assert changed.before == {"limit transport_its_qps": "5.0"}
    assert changed.after == {"limit transport_its_qps": "1000.0"}
    assert FleetFile.model_validate_json(path.read_bytes()).created == born


def test_another_manager_is_recorded_with_its_own_limits_and_roles(layout: Layout) -> None:
    (layout.root / "manager").write_text("ocm\n", encoding="ascii")
    plane = {"name": "hub1", "role": "hub", "driver": "process", "server": "https://127.0.0.1:16009"}
    layout.cluster("hub1").mkdir(parents=True)
    (layout.cluster("hub1") / "plane.json").write_text(json.dumps(plane), encoding="utf-8")
    write_record(spec(layout, variables={"manager": "ocm", "ocm_feedback_scrape_type": "Watch"}))
    file = FleetFile.model_validate_json((layout.root / FILE).read_bytes())
    assert (file.manager.name, file.manager.version, file.manager.source, file.manager.transport) == (
        "ocm", "v1.2.0", "hub", "hub"
    )  # fmt: skip
    assert file.manager.transports == {"hub1": "hub1"}
    assert file.manager.facts == {"feedback_scrape_type": "Watch"}
    assert {name.rpartition("_")[0] for name in file.limits} == {
        "ocm_registration", "ocm_placement", "ocm_work_manager", "work_hub", "work_spoke"
    }  # fmt: skip


def test_without_a_manager_there_are_no_limits_and_the_simulator_is_told(layout: Layout) -> None:
    write_record(spec(layout, variables={"manager": "none", "node_simulator": "none"}))
    file = FleetFile.model_validate_json((layout.root / FILE).read_bytes())
    assert (file.manager.name, file.limits, file.sources(), file.node_simulator) == ("none", {}, [], "none")


@pytest.mark.parametrize(
    ("given", "agents"),
    [
        ({}, ", agents with GOMAXPROCS=1 and GOGC=50"),
        ({"ocm_agents_env": {"GOGC": "80"}}, ", agents with GOMAXPROCS=1 and GOGC=80"),
        ({"manager": "karmada", "karmada_agent_env": {"GOMEMLIMIT": "1GiB"}}, " and GOGC=50 and GOMEMLIMIT=1GiB"),
        ({"manager": "karmada", "karmada_mode": "push"}, "simulators and agents in a process each"),
        ({"wec_programs": "shared"}, "simulators and agents of many in one process"),
        ({"manager": "none"}, "simulators and agents in a process each"),
    ],
)
def test_a_report_says_what_environment_the_agents_have(given: dict[str, object], agents: str, layout: Layout) -> None:
    name = str(given.get("manager", "kubestellar"))
    (layout.root / "manager").write_text(f"{name}\n", encoding="ascii")
    assert describe(spec(layout, variables=given), [], created="").wec_differs.endswith(agents)


def test_what_the_nodes_ask_of_an_api_server_is_recorded(layout: Layout) -> None:
    given = {"manager": "none", "node_simulator": "mixed", "wec_nodes": 3, "wec_hollow_nodes": 1}
    write_record(spec(layout, variables=given))
    file = FleetFile.model_validate_json((layout.root / FILE).read_bytes())
    assert (file.node_simulator, file.wec_nodes, file.wec_hollow_nodes) == ("mixed", 3, 1)
    assert "kwok makes 7.3 requests" in file.node_load
    assert "hollow nodes make" in file.node_load
    write_record(spec(layout, variables={"manager": "none", "wec_nodes": 0}))
    assert "no node" in FleetFile.model_validate_json((layout.root / FILE).read_bytes()).node_load


def test_only_registered_wecs_carry_labels(layout: Layout) -> None:
    write_record(spec(layout))
    file = FleetFile.model_validate_json((layout.root / FILE).read_bytes())
    labels = {cluster.name: cluster.labels for cluster in file.clusters}
    assert labels == {"its1": {}, "wec001": {"location-group": "edge", "name": "wec001"}, "wec002": {}}


def test_check_mode_writes_nothing(layout: Layout) -> None:
    assert write_record(spec(layout), check=True).changed
    assert not (layout.root / FILE).exists()


def test_an_open_mode_and_a_damaged_file_are_repaired(layout: Layout) -> None:
    path = layout.root / FILE
    write_record(spec(layout))
    path.chmod(0o644)
    assert write_record(spec(layout)).changed
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{", encoding="utf-8")
    assert write_record(spec(layout)).changed
    assert not write_record(spec(layout)).changed


def test_a_value_that_it_cannot_hold_is_named(layout: Layout) -> None:
    with pytest.raises(UsageError, match="name"):
        write_record(spec(layout, fleet="Not A Name"))
    assert not (layout.root / FILE).exists()


def remote() -> tuple[Machine, Inspection]:
    machine = Machine(name="m2", connection="ssh", address="10.0.0.2", state_dir="/x")
    cluster = Cluster(
        name="wec003", role="wec", machine="m2", driver="dense", server="https://10.0.0.2:1", kubeconfig="/x/k"
    )
    return machine, Inspection(machine="m2", clusters=[cluster], kubeconfigs={"wec003": "secret"})


def test_kubeconfigs_of_other_machines_are_kept_private_on_the_controller(layout: Layout) -> None:
    machine, found = remote()
    here = Machine(name="localhost", state_dir=str(layout.root))
    told = spec(layout, machines=(here, machine), found=(found,))
    assert write_record(told, check=True).changed
    assert not (layout.root / FILE).exists()
    assert write_record(told).after["kubeconfig wec003"] == "written"
    file = FleetFile.model_validate_json((layout.root / FILE).read_bytes())
    kept = Path(next(c.kubeconfig for c in file.clusters if c.name == "wec003"))
    assert (kept.read_text(encoding="utf-8"), kept.stat().st_mode & 0o777) == ("secret", 0o600)
    assert kept.parent == layout.root / "kubeconfigs"
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert "secret" not in (layout.root / FILE).read_text(encoding="utf-8")
    assert not write_record(told).changed


def test_a_machine_that_does_not_answer_stays_as_it_was_known(layout: Layout) -> None:
    machine, found = remote()
    here = Machine(name="localhost", state_dir=str(layout.root))
    write_record(spec(layout, machines=(here, machine), found=(found,)))
    assert not write_record(spec(layout, machines=(here, machine))).changed
    moved = found.clusters[0].model_copy(update={"machine": "localhost", "server": "https://127.0.0.1:2"})
    write_record(spec(layout, machines=(here, machine), found=(Inspection(machine="localhost", clusters=[moved]),)))
    file = FleetFile.model_validate_json((layout.root / FILE).read_bytes())
    assert [(c.name, c.machine) for c in file.clusters] == [("wec003", "localhost")]
    gone = write_record(spec(layout, machines=(here,)))
    assert "machine m2" in gone.before
    assert not list((layout.root / "kubeconfigs").iterdir())


def test_what_was_recorded_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    machine, found = remote()
    root = tmp_path / "controller" / "demo"
    given = RecordSpec("demo", root, (machine,), "d", found=(found,))
    write_record(given)
    assert forget(root, check=True).before
    assert forget(root).before
    assert not root.exists()
    assert not forget(root).before
    write_record(given)
    (root / "clusters").mkdir()
    forget(root)
    assert [path.name for path in root.iterdir()] == ["clusters"]


def test_the_digest_of_an_inventory_is_that_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "hosts.yml").write_text("a", encoding="utf-8")
    first = digest_of(folder)
    (folder / "group_vars" / "all.yml").write_text("b", encoding="utf-8")
    second = digest_of(folder)
    (folder / "group_vars" / "all.yml").rename(folder / "all.yml")
    assert len({first, second, digest_of(folder), digest_of(folder / "hosts.yml")}) == 4
    assert digest_of(tmp_path / "absent") == ""


def test_it_exists_from_the_first_task_on_and_is_complete_at_the_last(layout: Layout) -> None:
    path = layout.root / FILE
    values = {"wec_count": 2, "status_agent_parity": False}
    told = spec(layout, variables=values, given={"wec_count": 2})
    assert begin_record(told, check=True).changed
    assert not path.exists()
    assert begin_record(told).changed
    begun = FleetFile.model_validate_json(path.read_bytes())
    assert (begun.state, begun.clusters, begun.variables, begun.given) == ("building", [], values, {"wec_count": 2})
    write_record(told)
    built = FleetFile.model_validate_json(path.read_bytes())
    assert (built.state, len(built.clusters), built.created) == ("built", 3, begun.created)


def test_a_second_site_yml_changes_nothing_and_keeps_what_is_known_meanwhile(layout: Layout) -> None:
    versions = {**VERSIONS, "kubestellar-controller-manager": "v0.30.0"}
    told = spec(layout, variables={"wec_count": 2}, versions=versions)
    write_record(told)
    before = FleetFile.model_validate_json((layout.root / FILE).read_bytes())
    assert not begin_record(spec(layout, variables={"wec_count": 2}, toolchain_digest="", versions={})).changed
    begun = FleetFile.model_validate_json((layout.root / FILE).read_bytes())
    assert begun == before.model_copy(update={"state": "building"})
    assert not write_record(told).changed
    assert FleetFile.model_validate_json((layout.root / FILE).read_bytes()) == before
    changed = begin_record(spec(layout, variables={"wec_count": 3}, versions=versions))
    assert (changed.before, changed.after) == ({"variable wec_count": "2"}, {"variable wec_count": "3"})


def test_the_version_of_a_platform_stays_while_nobody_knows_its_program(layout: Layout) -> None:
    variables = {"wec_count": 2, "platform": ["kubevirt"]}
    write_record(spec(layout, variables=variables, versions={**VERSIONS, "virt-operator": "v1.8.0"}))
    assert not begin_record(spec(layout, variables=variables, toolchain_digest="", versions={})).changed
    begun = FleetFile.model_validate_json((layout.root / FILE).read_bytes())
    assert [(one.name, one.version, one.wecs) for one in begun.platforms] == [("kubevirt", "v1.8.0", ("wec001",))]


def test_how_long_the_first_build_took_is_kept(layout: Layout) -> None:
    told = spec(layout, variables={"wec_count": 2})
    begin_record(told)
    begun = FleetFile.model_validate_json((layout.root / FILE).read_bytes()).bring_up
    assert begun is not None
    assert begun.seconds is None
    write_record(told)
    built = FleetFile.model_validate_json((layout.root / FILE).read_bytes()).bring_up
    assert built is not None
    assert (built.began, built.wecs) == (begun.began, 2)
    assert built.seconds is not None
    assert built.seconds >= 0
    assert not begin_record(told).changed
    assert not write_record(told).changed
    assert FleetFile.model_validate_json((layout.root / FILE).read_bytes()).bring_up == built


def test_a_build_that_was_not_completed_in_one_go_has_no_time(layout: Layout) -> None:
    told = spec(layout)
    begin_record(told)
    begin_record(told)  # after a first one that was killed
    write_record(told)
    assert FleetFile.model_validate_json((layout.root / FILE).read_bytes()).bring_up is None


def test_one_build_may_begin_twice(layout: Layout) -> None:
    told = spec(layout)
    begin_record(told)
    log = BuildLog(layout.root)
    assert log.open()
    begin_record(told)
    write_record(told)
    log.close()
    built = FleetFile.model_validate_json((layout.root / FILE).read_bytes()).bring_up
    assert built is not None
    assert built.seconds is not None
