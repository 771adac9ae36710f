"""What platforms need of control planes and nodes, where they are, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleet.errors import UsageError
from fleet.host.components import WEC_CONTROLLERS, controllers
from fleet.host.layout import Layout
from fleet.host.plan import ControlPlane, Extra, NodeShape
from fleet.managers.variable_check import Chosen, platform_problems
from fleet.model.variable_rules import checked
from fleet.model.variables import Variables
from fleet.platforms.converge import installed, to_come
from fleet.platforms.platform import Needs, Platform, chosen_wecs, needs_of, platform


def variables(**given: Any) -> Variables:
    return Variables.model_validate({"manager": "none", **given})


def problems(**given: Any) -> dict[str, str]:
    found = checked({"manager": "none", **given}, manager=Chosen()).problems
    return {problem.variable: problem.text for problem in found}


@pytest.mark.parametrize("value", ["kubevirt", ["kubevirt"], "kubevirt,", ("kubevirt",)])
def test_one_name_or_a_list(value: object) -> None:
    if value == "kubevirt,":
        assert "is not a name" in problems(platform=value)["platform"]
    else:
        assert variables(platform=value).platform == ("kubevirt",)
        assert variables(platform=value).recorded()["platform"] == ["kubevirt"]


def test_no_platform_is_the_default_and_an_empty_text() -> None:
    assert variables().platform == variables(platform="").platform == ()


def test_an_unknown_one_a_double_one_and_the_wrong_driver_are_refused() -> None:
    assert problems(platform="kubevrit")["platform"].startswith('"kubevrit" is not one of karpenter, kubevirt')
    assert "names one twice" in problems(platform="kubevirt,kubevirt")["platform"]
    of_kind = problems(platform="kubevirt", control_plane_driver="kind")
    assert "control_plane_driver=dense or process" in of_kind["platform"]
    assert problems(platform="kubevirt") == {}
    assert "leave it at kwok" in problems(platform="kubevirt", node_simulator="hollow")["node_simulator"]
    with pytest.raises(UsageError, match="platform: 'nothing' is not one of"):
        platform("nothing")


def test_two_that_clash_are_refused() -> None:
    class Other(Platform):
        clashes = ("kubevirt",)

    known = {"other": Other(), "kubevirt": platform("kubevirt")}
    (problem,) = platform_problems(variables(platform="kubevirt,other"), known)
    assert str(problem) == "platform: other and kubevirt cannot be in one WEC: leave one of them out"


def test_two_that_shape_the_nodes_are_refused() -> None:
    class Shaped(Platform):
        def needs(self, variables: Variables) -> Needs:  # noqa: ARG002
            return Needs(nodes=NodeShape(labels={"a": "b"}))

    known = {"one": Shaped(), "two": Shaped(), "plain": Platform()}
    (problem,) = platform_problems(variables(platform="one,plain,two"), known)
    assert str(problem) == "platform: one and two each need nodes of their own shape in one WEC: leave one of them out"
    assert not list(platform_problems(variables(platform="one,plain"), known))


def test_they_are_in_the_first_wecs() -> None:
    assert chosen_wecs(variables(platform="kubevirt", wec_count=3)) == ["wec001"]
    assert chosen_wecs(variables(platform="kubevirt", wec_count=3, platform_wecs=9)) == ["wec001", "wec002", "wec003"]
    assert chosen_wecs(variables(wec_count=3)) == []
    assert needs_of(variables(platform="kubevirt", wec_count=2), "wec002") == []


def test_flags_of_the_user_come_after_those_of_a_platform() -> None:
    plane = ControlPlane("wec001", "wec", extra=Extra(apiserver=("--v=3",)))
    needs = Needs(("--v=2",), aggregates=True, nodes=NodeShape(labels={"a": "b"}))
    given = needs.given_to(plane)
    assert given.extra.apiserver == ("--v=2", "--v=3")
    assert given.aggregates
    assert given.nodes.labels == {"a": "b"}
    assert Needs().given_to(given).nodes.labels == {"a": "b"}


def test_controllers_that_two_platforms_ask_for_are_there_once() -> None:
    asks = Needs(controllers=("a-controller", "b-controller"))
    given = Needs(controllers=("b-controller",)).given_to(asks.given_to(ControlPlane("wec001", "wec")))
    assert given.controllers == ("a-controller", "b-controller")
    assert controllers(given) == (*WEC_CONTROLLERS, "a-controller", "b-controller")


def test_without_nodes_none_of_another_shape_are_made() -> None:
    (with_nodes,) = needs_of(variables(platform="kubevirt"), "wec001")
    (without,) = needs_of(variables(platform="kubevirt", wec_nodes=0), "wec001")
    assert list(with_nodes.nodes.plain) == ["kubevirt-infra"]
    assert without.nodes == NodeShape()


def test_what_is_there_is_found_by_its_folder_and_not_weighed_again(tmp_path: Path) -> None:
    chosen = variables(platform="kubevirt", wec_count=2, platform_wecs=2)
    layout, wecs = Layout(tmp_path), ["wec001", "wec002"]
    weight = platform("kubevirt").weight
    assert to_come(layout, chosen, wecs) == [("kubevirt in wec001", weight), ("kubevirt in wec002", weight)]
    (tmp_path / "platforms" / "kubevirt" / "wec001").mkdir(parents=True)
    assert installed(layout) == [("kubevirt", "wec001")]
    assert to_come(layout, chosen, wecs) == [("kubevirt in wec002", weight)]
    assert to_come(layout, chosen, ["wec001"]) == []  # the other WEC is on another machine


def test_requests_are_logged_where_that_is_wanted() -> None:
    (quiet,) = needs_of(variables(platform="kubevirt"), "wec001")
    (logged,) = needs_of(variables(platform="kubevirt", platform_audit=True), "wec001")
    assert (quiet.audit, logged.audit) == (False, True)
    assert logged.given_to(ControlPlane("wec001", "wec")).audit == "all"
