"""The policy sets, by name: what each puts into the cluster, and what shows that it acts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fleet.experiments.admission_latency.pods import TEAM
from fleet.experiments.admission_latency.rules import CONTAINERS, POD_SECURITY, SINGLE, Rule
from fleet.kube.resources import ADMISSION_POLICIES, ADMISSION_POLICY_BINDINGS, Resource
from fleet.platforms.kyverno.names import CLUSTER_POLICIES, MUTATING_POLICIES, VALIDATING_POLICIES

SetName = Literal[
    "cluster-policy", "validating-policy", "pod-security", "mutating-policy", "native", "native-pod-security"
]
NONE = "none"
"""Of the baseline: no policy at all."""
MUTATED = "fleet-mutated"
"""The label that the mutating policy adds."""
KINDS = (CLUSTER_POLICIES, VALIDATING_POLICIES, MUTATING_POLICIES, ADMISSION_POLICY_BINDINGS, ADMISSION_POLICIES)
"""Of policies, in the order in which they are deleted."""
_CREATED_PODS = {
    "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
}
Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class PolicySet:
    """Policies that are there together during a trial."""

    name: str
    text: str
    kyverno: bool = False
    """The API server calls Kyverno for each pod."""
    rules: Sequence[Rule] = ()
    """Each is enforced: a pod that breaks it is refused with its message."""
    mutates: bool = False
    """A created pod has the label `fleet-mutated`."""
    objects: Sequence[tuple[Resource, Manifest]] = ()


def _object(resource: Resource, name: str, spec: Manifest) -> tuple[Resource, Manifest]:
    metadata = {"name": f"fleet-{name}"}
    return resource, {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "spec": spec}


def _constraints(rule: Rule) -> dict[str, Any]:
    """What ValidatingPolicy and ValidatingAdmissionPolicy have alike."""
    return {
        "failurePolicy": "Fail",
        "matchConstraints": _CREATED_PODS,
        "variables": [{"name": "containers", "expression": CONTAINERS}],
        "validations": [{"expression": rule.expression, "message": rule.message}],
    }


def _validating(rules: Sequence[Rule]) -> Iterator[tuple[Resource, Manifest]]:
    for rule in rules:
        yield _object(VALIDATING_POLICIES, rule.name, {**_constraints(rule), "validationActions": ["Deny"]})


def _native(rules: Sequence[Rule]) -> Iterator[tuple[Resource, Manifest]]:
    for rule in rules:
        yield _object(ADMISSION_POLICIES, rule.name, _constraints(rule))
        binding = {"policyName": f"fleet-{rule.name}", "validationActions": ["Deny"]}
        yield _object(ADMISSION_POLICY_BINDINGS, rule.name, binding)


_BY_PATTERN = _object(
    CLUSTER_POLICIES,
    SINGLE.name,
    {
        "rules": [
            {
                "name": SINGLE.name,
                "match": {"any": [{"resources": {"kinds": ["Pod"], "operations": ["CREATE"]}}]},
                "validate": {
                    "failureAction": "Enforce",
                    "message": SINGLE.message,
                    "pattern": {"metadata": {"labels": {TEAM: "?*"}}},
                },
            }
        ]
    },
)
_MUTATION = _object(
    MUTATING_POLICIES,
    "label",
    {
        "failurePolicy": "Fail",
        "matchConstraints": _CREATED_PODS,
        "mutations": [
            {
                "patchType": "JSONPatch",
                "jsonPatch": {
                    "expression": f'[JSONPatch{{op: "add", path: "/metadata/labels/{MUTATED}", value: "yes"}}]'
                },
            }
        ],
    },
)
SETS: Mapping[str, PolicySet] = {
    made.name: made
    for made in (
        PolicySet(NONE, "no policy: Kyverno runs and is not called"),
        PolicySet(
            "cluster-policy", "one ClusterPolicy (kyverno.io/v1) with a pattern", kyverno=True, rules=(SINGLE,),
            objects=(_BY_PATTERN,),
        ),
        PolicySet(
            "validating-policy", "one ValidatingPolicy (policies.kyverno.io) in CEL", kyverno=True, rules=(SINGLE,),
            objects=tuple(_validating((SINGLE,))),
        ),
        PolicySet(
            "pod-security", "16 ValidatingPolicies of pod security", kyverno=True, rules=POD_SECURITY,
            objects=tuple(_validating(POD_SECURITY)),
        ),
        PolicySet(
            "mutating-policy", "one MutatingPolicy that adds a label", kyverno=True, mutates=True, objects=(_MUTATION,)
        ),
        PolicySet(
            "native", "one ValidatingAdmissionPolicy of the API server, the rule of validating-policy", rules=(SINGLE,),
            objects=tuple(_native((SINGLE,))),
        ),
        PolicySet(
            "native-pod-security", "16 ValidatingAdmissionPolicies, the rules of pod-security", rules=POD_SECURITY,
            objects=tuple(_native(POD_SECURITY)),
        ),
    )
}  # fmt: skip
"""The baseline first."""
