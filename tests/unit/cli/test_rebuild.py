"""The variables that build a recorded fleet again, and what stands against it."""

from __future__ import annotations

import pytest

from fleet.cli.rebuild import refuse, unlike, variables
from fleet.errors import UsageError
from fleet.model.fleet_file import Component, Machine
from fleet.model.variables import Variables
from tests.unit.model.fleets import LIMITS
from tests.unit.report.made import fleet_file, run_record


def test_counts_driver_and_limits_become_variables() -> None:
    fleet = fleet_file(4).model_copy(update={"limits": {**LIMITS, "transport_its_qps": 1000}, "wec_nodes": 2})
    found = variables(fleet)
    assert (found["wec_count"], found["wec_prefix"], found["wec_nodes"]) == (4, "wec", 2)
    assert (found["manager"], found["wds_count"], found["wds_serving"]) == ("kubestellar", 1, 1)
    assert (found["control_plane_driver"], found["dense_shard_size"]) == ("dense", 25)
    assert (found["transport_its_qps"], found["work_hub_burst"]) == (1000, 100)
    assert (found["control_plane_debug"], found["monitoring_enabled"]) == (False, False)


def test_switches_and_shards_are_read_from_the_programs() -> None:
    fleet = fleet_file(4)
    more = [
        Component(program="dense.1", component="dense", machine="local"),
        Component(program="etcd.x", component="etcd", machine="local", argv=["etcd", "--enable-pprof"]),
        Component(program="prometheus", component="prometheus", machine="local"),
    ]
    found = variables(fleet.model_copy(update={"components": [*fleet.components, *more]}))
    assert (found["dense_shard_size"], found["control_plane_debug"], found["monitoring_enabled"]) == (2, True, True)


def test_a_resting_wds_is_told_from_one_that_is_served() -> None:
    found = variables(fleet_file(2, wdses=3))  # of all programs of a WDS only those of the first are in it
    assert (found["wds_count"], found["wds_serving"], found["its_count"]) == (3, 1, 1)


def test_itses_are_counted() -> None:
    fleet = fleet_file(2, wdses=3)
    more = fleet.clusters[0].model_copy(update={"name": "its2", "role": "its"})
    assert variables(fleet.model_copy(update={"clusters": [*fleet.clusters, more]}))["its_count"] == 2


def test_what_site_yml_does_not_build_is_refused() -> None:
    fleet = fleet_file(2)
    far = Machine(name="far", connection="ssh", state_dir="/s")
    with pytest.raises(UsageError, match="2 machines"):
        variables(fleet.model_copy(update={"machines": [*fleet.machines, far]}))
    with pytest.raises(UsageError, match="no WECs"):
        variables(fleet_file(0))
    odd = [c.model_copy(update={"name": "wec007"}) if c.name == "wec002" else c for c in fleet.clusters]
    with pytest.raises(UsageError, match="not numbered from 001"):
        variables(fleet.model_copy(update={"clusters": odd}))
    mixed = [c.model_copy(update={"driver": "process"}) if c.name == "wec002" else c for c in fleet.clusters]
    with pytest.raises(UsageError, match="several drivers"):
        variables(fleet.model_copy(update={"clusters": mixed}))


def test_other_versions_and_a_run_without_an_end_are_refused() -> None:
    run = run_record("r", 2)
    refuse(run, run.fleet.versions)
    with pytest.raises(UsageError, match=r"ocm v1\.2\.0 \(here v9\): check out 0123456789ab"):
        refuse(run, {**run.fleet.versions, "ocm": "v9"})
    with pytest.raises(UsageError, match="did not finish"):
        refuse(run_record("r", 2, status="running"), run.fleet.versions)


def test_a_status_agent_that_is_not_ours_is_refused() -> None:
    run = run_record("r", 2)
    manager = run.fleet.manager.model_copy(update={"facts": {"status_agent": "ocm-status-addon"}})
    fleet = run.fleet.model_copy(update={"manager": manager})
    with pytest.raises(UsageError, match=r"with ocm-status-addon, which site\.yml does not install"):
        refuse(run_record("r", 2, fleet=fleet), fleet.versions)


def test_a_fleet_that_is_there_is_used_only_when_it_is_alike() -> None:
    assert unlike(fleet_file(4), fleet_file(4)) == []
    assert unlike(fleet_file(4), fleet_file(3)) == ["wec_count 3 instead of 4"]


def test_recorded_variables_are_what_is_built_again() -> None:
    given = {"control_plane_ports": {"wec001": 17001}, "status_agent_parity": False, "machine_state_dir": "/srv/x"}
    values = Variables.model_validate({"wec_count": 2, **given}).recorded()
    fleet = fleet_file(2).model_copy(update={"variables": values})
    found = variables(fleet)
    assert (found["control_plane_ports"], found["status_agent_parity"]) == ({"wec001": 17001}, False)
    assert "machine_state_dir" not in found
    assert unlike(fleet, fleet) == []
    other = fleet.model_copy(update={"variables": {**values, "status_agent_parity": True}})
    assert unlike(fleet, other) == ["status_agent_parity True instead of False"]
