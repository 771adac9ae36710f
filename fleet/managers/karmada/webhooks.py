"""What the hub's API server asks Karmada's webhook: policies, bindings and Works get ids by it, without which Karmada
does not work. By URL, since no Service leads to a program outside of pods."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fleet.install.program_parts import loopback
from fleet.kube.resources import MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS, Resource

GROUP = "karmada.io"
SECONDS = 3


class Asked(NamedTuple):
    """About which objects the webhook is asked, and under which path."""

    path: str
    group: str
    resource: str
    scope: str = "Namespaced"
    operations: tuple[str, ...] = ("CREATE", "UPDATE")
    side_effects: str = "None"


MUTATING = (
    Asked("propagationpolicy", "policy", "propagationpolicies"),
    Asked("clusterpropagationpolicy", "policy", "clusterpropagationpolicies", "Cluster"),
    Asked("overridepolicy", "policy", "overridepolicies"),
    Asked("resourcebinding", "work", "resourcebindings", operations=("CREATE",)),
    Asked("clusterresourcebinding", "work", "clusterresourcebindings", "Cluster", operations=("CREATE",)),
    Asked("work", "work", "works"),
    Asked("federatedhpa", "autoscaling", "federatedhpas"),
    Asked("multiclusterservice", "networking", "multiclusterservices"),
)
VALIDATING = (
    Asked("propagationpolicy", "policy", "propagationpolicies"),
    Asked("clusterpropagationpolicy", "policy", "clusterpropagationpolicies", "Cluster"),
    Asked("overridepolicy", "policy", "overridepolicies"),
    Asked("clusteroverridepolicy", "policy", "clusteroverridepolicies", "Cluster"),
    Asked("resourceinterpreterwebhookconfiguration", "config", "resourceinterpreterwebhookconfigurations", "Cluster"),
    Asked("resourceinterpretercustomization", "config", "resourceinterpretercustomizations", "Cluster"),
    Asked("federatedresourcequota", "policy", "federatedresourcequotas"),
    Asked("multiclusteringress", "networking", "multiclusteringresses"),
    Asked("federatedhpa", "autoscaling", "federatedhpas"),
    Asked("cronfederatedhpa", "autoscaling", "cronfederatedhpas"),
    Asked("multiclusterservice", "networking", "multiclusterservices"),
    Asked("resourcebinding", "work", "resourcebindings", side_effects="NoneOnDryRun"),
    Asked("clustertaintpolicy", "policy", "clustertaintpolicies", "Cluster"),
)
"""Those of Karmada 1.16, but the one on deletions of any kind: only objects with its label are asked about, and a run
makes none."""


def configurations(ca: Path, port: int) -> list[tuple[Resource, dict[str, Any]]]:
    """Both; `ca` is who signed the webhook's certificate."""
    bundle = base64.b64encode(ca.read_bytes()).decode("ascii")
    return [
        (MUTATING_WEBHOOKS, _configuration(MUTATING_WEBHOOKS, "mutat", MUTATING, bundle, port)),
        (VALIDATING_WEBHOOKS, _configuration(VALIDATING_WEBHOOKS, "validat", VALIDATING, bundle, port)),
    ]


def _configuration(resource: Resource, verb: str, asked: Sequence[Asked], bundle: str, port: int) -> dict[str, Any]:
    webhooks = [
        {
            "name": f"{one.path}.{GROUP}",
            "rules": [
                {
                    "operations": list(one.operations),
                    "apiGroups": [f"{one.group}.{GROUP}"],
                    "apiVersions": ["*"],
                    "resources": [one.resource],
                    "scope": one.scope,
                }
            ],
            "clientConfig": {"url": f"https://{loopback(port)}/{verb}e-{one.path}", "caBundle": bundle},
            "failurePolicy": "Fail",
            "sideEffects": one.side_effects,
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": SECONDS,
        }
        for one in asked
    ]
    metadata = {"name": f"{verb}ing-config"}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "webhooks": webhooks}
