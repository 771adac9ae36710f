"""What has to be in a WEC for Kueue, and its configuration: pods and Jobs that name a queue, nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleet.install.crds import read_crds
from fleet.install.program_parts import Upstream
from fleet.kube.resources import MUTATING_WEBHOOKS, SECRETS, SERVICES, VALIDATING_WEBHOOKS, Resource
from fleet.platforms.kueue import names
from fleet.platforms.kueue.places import Places

FRAMEWORKS = ("pod", "batch/job")
"""What it admits."""
HOOKS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("", "v1"): ("pods", "pod"),
    ("batch", "v1"): ("jobs", "job"),
    (names.GROUP, names.VERSION): ("clusterqueues workloads resourceflavors", "clusterqueue workload resourceflavor"),
}
"""Group and version to plurals and the singulars in the paths of its webhooks."""
EXEMPT = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", names.NAMESPACE]}
WITH_STATUS = "workloads"


def definitions(upstream: Upstream, places: Places) -> list[dict[str, Any]]:
    """Its CustomResourceDefinitions; where versions are converted, by its webhook."""
    found = read_crds(upstream.crd(f"{names.DEFINITION_FILE}{plural}") for plural in names.DEFINITIONS)
    return [_converted(crd, places) if crd["spec"]["names"]["plural"] in names.CONVERTED else crd for crd in found]


def placed(places: Places) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """The Service, the Secret that it fills, the webhook configurations, in the order in which they are created."""
    meta = {"namespace": names.NAMESPACE}
    port = {"port": places.webhooks, "targetPort": places.webhooks, "protocol": "TCP"}
    yield (
        SERVICES,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**meta, "name": names.SERVICE},
            "spec": {"clusterIP": places.address, "ports": [port]},
        },
    )
    yield SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {**meta, "name": names.SECRET}}
    for resource, name, verb, operations in (
        (MUTATING_WEBHOOKS, names.MUTATING, "mutate", ["CREATE"]),
        (VALIDATING_WEBHOOKS, names.VALIDATING, "validate", ["CREATE", "UPDATE"]),
    ):
        yield (
            resource,
            {
                "apiVersion": resource.api_version,
                "kind": resource.kind,
                "metadata": {"name": name},
                "webhooks": [_hook(places, verb, operations, *where) for where in _hooked()],
            },
        )


def configuration(places: Places) -> str:
    """Kueue's own configuration file: one process, its client's limits, its pages on loopback."""
    variables = places.seat.variables
    document = {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "namespace": names.NAMESPACE,
        "health": {"healthProbeBindAddress": f"127.0.0.1:{places.health}"},
        "metrics": {"bindAddress": "0"},
        "pprofBindAddress": f"127.0.0.1:{places.profiles}",
        "webhook": {"host": places.address, "port": places.webhooks, "certDir": str(places.certificates)},
        "leaderElection": {"leaderElect": False},
        "clientConnection": {"qps": variables.kueue_qps, "burst": variables.kueue_burst},
        "internalCertManagement": {
            "enable": True,
            "webhookServiceName": names.SERVICE,
            "webhookSecretName": names.SECRET,
        },
        "integrations": {"frameworks": list(FRAMEWORKS)},
        "featureGates": {"VisibilityOnDemand": False},
    }
    return json.dumps(document, indent=1) + "\n"


def probe() -> dict[str, Any]:
    """A ResourceFlavor that its webhooks take; it is never stored."""
    return {
        "apiVersion": names.FLAVORS.api_version,
        "kind": names.FLAVORS.kind,
        "metadata": {"name": "fleet-probe"},
        "spec": {},
    }


def _hooked() -> Iterable[tuple[str, str, str, str]]:
    """Group, version, plural, singular."""
    for (group, version), (plurals, singulars) in HOOKS.items():
        for plural, singular in zip(plurals.split(), singulars.split(), strict=True):
            yield group, version, plural, singular


def _hook(  # noqa: PLR0917 - what one is
    places: Places, verb: str, operations: list[str], group: str, version: str, plural: str, singular: str
) -> dict[str, Any]:
    path = f"/{verb}-{group.replace('.', '-')}-{version}-{singular}"
    resources = [plural, f"{plural}/status"] if plural == WITH_STATUS and verb == "validate" else [plural]
    return {
        "name": f"{verb[0]}{singular}.kb.io",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "namespaceSelector": {"matchExpressions": [EXEMPT]},
        "clientConfig": {"service": _service(places, path)},
        "rules": [
            {"apiGroups": [group], "apiVersions": [version], "operations": operations, "resources": resources}
        ],
    }  # fmt: skip


def _converted(crd: Mapping[str, Any], places: Places) -> dict[str, Any]:
    webhook = {"clientConfig": {"service": _service(places, "/convert")}, "conversionReviewVersions": ["v1"]}
    return {**crd, "spec": {**crd["spec"], "conversion": {"strategy": "Webhook", "webhook": webhook}}}


def _service(places: Places, path: str) -> dict[str, Any]:
    return {"namespace": names.NAMESPACE, "name": names.SERVICE, "path": path, "port": places.webhooks}
