"""What managers with members of their own kind refuse before anything changes."""

from __future__ import annotations

import pytest

from fleet.managers.installer import installer
from fleet.model.variables import Variables


def said(machines: int = 1, **variables: object) -> list[str]:
    found = Variables.model_validate(variables)
    return [str(one) for one in installer(found.manager).problems(found, machines)]


@pytest.mark.parametrize("manager", ["karmada", "kubefleet", "multikueue"])
def test_hub_and_wecs_are_on_one_machine(manager: str) -> None:
    assert said(manager=manager) == []
    (text,) = said(2, manager=manager)
    assert text.startswith(f"manager: {manager} needs one machine for hub and WECs")


def test_a_link_needs_agents() -> None:
    assert said(manager="karmada", wan={"rtt": "10ms"}) == []
    assert said(manager="karmada", karmada_mode="push") == []
    (text,) = said(manager="karmada", karmada_mode="push", wan={"rtt": "10ms"})
    assert text == "wan: a link leads agents to the hub, and karmada_mode push has no agents"


def test_multikueue_dials_its_workers_and_brings_their_kueue() -> None:
    (link,) = said(manager="multikueue", wan={"rtt": "10ms"})
    assert link.startswith("wan: a link leads from WECs to the hub")
    (clash,) = said(manager="multikueue", platform="kueue")
    assert clash == "platform: multikueue brings a Kueue into each WEC: leave kueue out"


@pytest.mark.parametrize(("most", "count"), [("0", 1), ("0%", 1), ("1", 0), ("100%", 0)])
def test_a_rollout_that_reaches_nobody_is_refused(most: str, count: int) -> None:
    assert len(said(manager="kubefleet", kubefleet_max_unavailable=most)) == count


def test_pull_has_agents_that_dial_and_push_has_none() -> None:
    for mode, dialled in (("pull", True), ("push", False)):
        (plane,) = installer("karmada").planes(Variables(manager="karmada", karmada_mode=mode))
        assert (plane.name, plane.aggregates, plane.dialled) == ("karmada1", True, dialled)
