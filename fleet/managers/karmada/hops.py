"""What Karmada's objects say of an object's way: PropagationPolicies, ResourceBindings and Works.

A ResourceBinding names its object by uid; a Work, in the namespace of its WEC, holds the object with its op-id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fleet.kube.resources import KARMADA_WORKS, PROPAGATION_POLICIES, RESOURCE_BINDINGS
from fleet.managers.fields import Object, entries, label, meta, number, op_of, text, within
from fleet.managers.karmada import names
from fleet.managers.karmada.record import APPLIED, BOUND, PACKAGED, POLICY, REPORTED, SCHEDULED
from fleet.managers.manager import Fact, Hop, Key, Told

POLICY_ID_LABEL = "propagationpolicy.karmada.io/permanent-id"
POLICY_ANNOTATION = "propagationpolicy.karmada.io/name"
"""On what a policy has claimed."""
OF_ITS_OWN = frozenset({"generation", "resourceTemplateGeneration"})
"""Fields of a reported status that no object in a WEC has: by them Karmada says whether the status is up to date."""


def policy(obj: Object, _cluster: str) -> Told | None:
    """It names its WECs itself, and is complete once the webhook has given it its id."""
    if not label(obj, POLICY_ID_LABEL):
        return None
    chosen = within(obj, "spec", "placement", "clusterAffinity").get("clusterNames")
    return Told(policy=meta(obj, "name"), targets=[str(one) for one in chosen] if isinstance(chosen, list) else [])


def bound(obj: Object, _cluster: str) -> Told:
    """One object has one ResourceBinding."""
    return Told(facts=[Fact(_uid(obj))], policy=_policy(obj))


def scheduled(obj: Object, _cluster: str) -> Told:
    """The WECs that the scheduler wrote into it."""
    about = _uid(obj)
    return Told(facts=[Fact(about, text(one, "name")) for one in entries(obj, "spec", "clusters")], policy=_policy(obj))


def packaged(obj: Object, _cluster: str) -> Told | None:
    """A Work in the namespace of a WEC."""
    return _work(obj, lambda _ordinal: (True, None))


def applied(obj: Object, _cluster: str) -> Told | None:
    """The same, with the condition Applied."""
    done = any(text(one, "type") == "Applied" and text(one, "status") == "True" for one in _conditions(obj))
    return _work(obj, lambda _ordinal: (done, None))


def reported(obj: Object, _cluster: str) -> Told | None:
    """The same, with what it says of the status of each of its objects."""
    found = {
        number(within(one, "identifier"), "ordinal"): within(one, "status")
        for one in entries(obj, "status", "manifestStatuses")
    }
    return _work(obj, lambda ordinal: (True, _fields(found.get(ordinal, {}))))


def _work(obj: Object, says: Callable[[int], tuple[bool, Any]]) -> Told | None:
    """`says` gives for each of its objects, by their order, whether the mark is reached, and the status."""
    wec = names.wec_of(meta(obj, "namespace"))
    if not wec:
        return None
    held = entries(obj, "spec", "workload", "manifests")
    facts = [Fact(("op", op), wec, *says(ordinal)) for ordinal, one in enumerate(held) if (op := op_of(one))]
    return Told(facts=facts) if facts else None


def _uid(obj: Object) -> Key:
    return ("uid", text(within(obj, "spec", "resource"), "uid"))


def _policy(obj: Object) -> str:
    return text(within(obj, "metadata", "annotations"), POLICY_ANNOTATION)


def _conditions(obj: Object) -> list[Object]:
    return list(entries(obj, "status", "conditions"))


def _fields(status: Object) -> dict[str, Any] | None:
    """A status without what Karmada adds; None where there is none."""
    return {key: value for key, value in status.items() if key not in OF_ITS_OWN} or None


HOPS = (
    Hop(POLICY, PROPAGATION_POLICIES, policy),
    Hop(BOUND, RESOURCE_BINDINGS, bound),
    Hop(SCHEDULED, RESOURCE_BINDINGS, scheduled),
    Hop(PACKAGED, KARMADA_WORKS, packaged),
    Hop(APPLIED, KARMADA_WORKS, applied),
    Hop(REPORTED, KARMADA_WORKS, reported),
)
"""What is watched, each with its row of the table."""
