"""The variables of an inventory: their rules, how they suit one another, what is recorded, and their page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleet.managers.variable_check import Chosen
from fleet.model.client_limits import ClientLimits
from fleet.model.variable_page import page
from fleet.model.variable_rules import checked
from fleet.model.variables import Variables, defaults, is_recorded, limits

CHECKOUT = Path(__file__).parents[3]


def said(**values: Any) -> list[str]:
    return [str(problem) for problem in checked(values, manager=Chosen()).problems]


def test_the_defaults_are_valid_and_record_no_place() -> None:
    assert said(**defaults()) == []
    recorded = Variables().recorded()
    assert recorded["wec_count"] == 4
    assert not {"fleet_name", "fleet_state_dir"} & recorded.keys()
    assert is_recorded("wec_count")
    assert not is_recorded("fleet_name")
    assert not is_recorded("our_region")


def test_client_limits_have_the_defaults_of_the_programs() -> None:
    known = ClientLimits()
    assert {name: Variables.model_fields[name].default for name in limits()} == known.model_dump()
    queues = {name for name in limits() if name.endswith("_queue_qps")}  # of work queues, whose flags are whole numbers
    rates = {name for name in limits() if name.endswith("_qps")} - queues
    assert {name for name, whole in limits().items() if not whole} == rates


def test_text_of_a_command_line_becomes_what_it_spells() -> None:
    given = {"wec_count": "20", "transport_its_qps": "1e3", "monitoring_enabled": "yes", "wds_serving": "", "wan": {}}
    variables = checked(given).variables
    assert (variables.wec_count, variables.transport_its_qps, variables.monitoring_enabled) == (20, 1000.0, True)
    assert variables.recorded() == Variables.model_validate(variables.recorded()).recorded()


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = said(wec_count=0, wds_count="two", container_engine="podman", wan={"rtt": "5"}, kind_node_image="nginx")
    assert len(found) == 5
    assert "wec_count: 0 is not a whole number from 1 to 1000" in found
    assert 'wds_count: "two" is not a whole number from 1 to 9' in found


def test_a_rule_over_several_is_silent_where_one_of_them_is_wrong_by_itself() -> None:
    assert said(wds_count=0, its_count=3) == ["wds_count: 0 is not a whole number from 1 to 9"]
    assert said(wds_count=2, its_count=3) == [
        "its_count: 3 is not a whole number from 1 to 2, the number of WDSes (wds_count)"
    ]


@pytest.mark.parametrize("value", [True, 1.5, "0x10", "", None, [4], "4x"])
def test_what_is_no_whole_number(value: object) -> None:
    assert said(wec_count=value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGISTRY_PASSWORD", "hunter2"),
        ("API_TOKEN", "abc"),
        ("HTTPS_PROXY", "http://user:pass@proxy:3128"),
    ],
)
def test_a_secret_is_refused_because_the_file_would_hold_it(name: str, value: str) -> None:
    (problem,) = said(hub_transport_env={name: value})
    assert problem.startswith(f"hub_transport_env: {name} looks like a secret")
    assert value not in problem
    assert said(hub_transport_env={name: "/run/secret"}) == []


@pytest.mark.parametrize(
    ("driver", "target", "settings", "why"),
    [
        ("dense", "wec001", {"apiserver_extra_args": ["--v=4"]}, ""),
        ("dense", "wec001", {"simulator_env": {"A": "1"}}, ""),
        ("dense", "wec", {"etcd_extra_args": ["--snapshot-count=10"], "env": {"GOGC": "50"}}, ""),
        ("dense", "wec001", {"etcd_extra_args": ["--snapshot-count=10"]}, "share one process and one etcd"),
        ("dense", "wec", {"kcm_extra_args": ["--v=4"]}, "are part of one process: set control_plane_driver=process"),
        ("process", "wec001", {"kcm_env": {"GOGC": "50"}, "etcd_extra_args": ["--snapshot-count=10"]}, ""),
        ("kind", "wec001", {"apiserver_env": {"GOGC": "50"}}, "kubeadm gives its programs no environment"),
        ("dense", "its1", {"kcm_extra_args": ["--v=4"]}, ""),
        ("dense", "its1", {"simulator_extra_args": ["--v=4"]}, "only WECs have simulated nodes"),
        ("dense", "wec999", {"apiserver_extra_args": ["--v=4"]}, "neither a control plane of this fleet nor a role"),
        ("dense", "wec", {"apiserver_args": ["--v=4"]}, "unknown field; did you mean `apiserver_extra_args`?"),
        ("dense", "wec", {"apiserver_extra_args": ["v=4"]}, "must be a list of flags of the form --flag=value"),
    ],
)
def test_settings_of_one_control_plane(driver: str, target: str, settings: dict[str, Any], why: str) -> None:
    found = said(control_plane_driver=driver, control_plane_overrides={target: settings})
    assert bool(found) == bool(why), found
    assert all(why in problem and target in problem for problem in found), found


def test_a_manager_or_simulator_that_there_is_not_is_named() -> None:
    assert said(manager="clusternet") == [
        'manager: "clusternet" is not one of karmada, kubefleet, kubestellar, multikueue, none, ocm'
    ]
    assert said(node_simulator="fake") == ['node_simulator: "fake" is not one of hollow, kwok, mixed, none']


def test_names_of_planes_are_those_of_the_manager() -> None:
    ports = {"hub1": 20_000}
    assert said(manager="ocm", control_plane_ports=ports) == []
    assert said(manager="karmada", control_plane_ports={"karmada1": 20_000}) == []
    assert "hub1 is no control plane of this fleet" in said(control_plane_ports=ports)[0]
    assert "its1 is no control plane of this fleet" in said(manager="ocm", control_plane_ports={"its1": 20_000})[0]


def test_settings_of_planes_are_for_those_of_the_manager() -> None:
    settings = {"apiserver_extra_args": ["--v=4"]}
    for target in ("hub", "hub1"):
        assert said(manager="ocm", control_plane_overrides={target: settings}) == []
        assert f"{target}: is neither" in said(control_plane_overrides={target: settings})[0]
    assert "its1: is neither" in said(manager="ocm", control_plane_overrides={"its1": settings})[0]


def test_wecs_are_not_called_as_the_planes_of_the_hub_are() -> None:
    assert said(manager="ocm", wec_prefix="its") == []
    for manager, prefix in (("ocm", "hub"), ("kubestellar", "its"), ("kubestellar", "wds")):
        assert "begins the names of the hub's own control planes" in said(manager=manager, wec_prefix=prefix)[0]


def test_without_a_manager_there_is_no_hub_for_a_link() -> None:
    assert said(manager="none", wan={"rtt": "40ms"})[0].startswith("wan: a link leads to the hub")


def test_the_page_is_that_of_the_model() -> None:
    assert (CHECKOUT / "docs" / "reference" / "variables.md").read_text(encoding="utf-8") == page(), (
        "run: python -m fleet.model.variable_page > docs/reference/variables.md"
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"control_plane_driver": "existing", "hub_driver": "existing"},
            ["existing_wecs: name their", "existing_hub: name"],
        ),
        ({"existing_wecs": {"kubeconfigs": ["/k"]}}, ["existing_wecs: is set, and control_plane_driver is not"]),
        ({"existing_hub": {"its": {"its1": "/k"}}}, ["existing_hub: is set: set hub_driver=existing too"]),
        (
            {"hub_driver": "existing", "existing_hub": {"its": {"its1": "/k"}}},
            ["hub_driver: existing does not go with control_plane_driver dense"],
        ),
        ({"existing_wecs": {"kubeconfigs": ["/a", "/b"], "contexts": ["x"]}}, ["needs exactly one kubeconfig, not 2"]),
        ({"existing_hub": {"its": {"Its1": "/k"}}}, ["existing_hub: its.Its1"]),
    ],
)
def test_clusters_that_exist_already(values: dict[str, Any], said: list[str]) -> None:
    problems = "\n".join(str(problem) for problem in checked(values).problems)
    for text in said:
        assert text in problems


@pytest.mark.parametrize(("value", "kept"), [("5m", "5m"), ("", ""), (None, "")])
def test_a_nap_is_kept_as_it_was_written(value: object, kept: str) -> None:
    found = checked({"dense_hibernate": value})
    assert (found.variables.dense_hibernate, found.problems) == (kept, ())


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"dense_hibernate": "5"}, "is not a duration"),
        ({"dense_hibernate": "1s"}, "is not from 10s to 24h"),
        ({"dense_hibernate": "5m", "dense_sharing": False}, "needs dense_sharing=true"),
        ({"wec_programs": "both"}, "shared"),
    ],
)
def test_a_nap_that_cannot_be(values: dict[str, Any], why: str) -> None:
    (problem,) = checked(values).problems
    assert why in str(problem)


def test_audit_lines_are_kept_where_the_driver_can_read_them() -> None:
    assert all(said(audit="sample", control_plane_driver=driver) == [] for driver in ("dense", "process", "kind"))
    theirs = {"control_plane_driver": "existing", "existing_wecs": {"kubeconfigs": ["/a"]}}
    assert "audit: sample needs WECs that this testbed makes" in said(audit="sample", **theirs)[0]
    assert "is not one of" in said(audit="all")[0]


def test_hollow_nodes_in_pods_need_a_real_node() -> None:
    pods = {"node_simulator": "hollow", "hollow_placement": "pods"}
    assert said(control_plane_driver="kind", **pods) == []
    (driver,) = said(control_plane_driver="process", **pods)
    assert driver.startswith("hollow_placement: pods run on the real node of a kind cluster")
    (address,) = said(control_plane_driver="kind", hollow_address="192.0.2.1", **pods)
    assert address.startswith("hollow_address: nodes have the addresses of their pods")
    (direct,) = said(control_plane_driver="kind", monitoring_enabled=True, monitoring_nodes="direct", **pods)
    assert direct.startswith("monitoring_nodes: direct does not reach addresses of pods")
    (alone,) = said(monitoring_nodes="proxy")
    assert alone.startswith("monitoring_nodes: nothing scrapes without monitoring_enabled=true")


def test_hollow_nodes_are_a_part_of_the_mixed_ones() -> None:
    assert said(node_simulator="mixed", wec_nodes=3, wec_hollow_nodes=3) == []
    assert said(node_simulator="mixed", wec_nodes=2, wec_hollow_nodes=3) == [
        "wec_hollow_nodes: 3 is more than wec_nodes, 2"
    ]
    (alone,) = said(node_simulator="hollow", wec_nodes=3, wec_hollow_nodes=3)
    assert alone.startswith("wec_hollow_nodes: is for node_simulator=mixed alone")
    (flags,) = said(node_simulator="mixed", wec_hollow_nodes=1, control_plane_hollow_extra_args=["--v=4"])
    assert flags.startswith("control_plane_hollow_extra_args: not with node_simulator=mixed")
    assert said(node_simulator="hollow", hollow_per_process=251) == [
        "hollow_per_process: 251 is not a whole number from 1 to 250"
    ]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "169.254.0.1", "fd00::1", "0.0.0.0", "here"])  # noqa: S104
def test_an_address_that_a_kubelet_refuses_is_refused(address: str) -> None:
    (problem,) = said(hollow_address=address)
    assert problem.startswith(f'hollow_address: "{address}" is ')


def test_the_machine_s_own_address_is_for_whoever_names_none() -> None:
    assert said(hollow_address="") == said(hollow_address="10.255.0.1") == []
