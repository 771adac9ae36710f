"""What has to be in a WEC for virt-operator, from KubeVirt's own generators, and the KubeVirt object that we write."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleet.errors import ToolchainError
from fleet.install.program_parts import Upstream
from fleet.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CRDS,
    ROLE_BINDINGS,
    ROLES,
    SERVICE_ACCOUNTS,
    Resource,
)
from fleet.model.base import Model
from fleet.platforms.kubevirt import names
from fleet.platforms.kubevirt.places import Places

GENERATOR = "kubevirt-objects"
GENERATOR_SECONDS = 60.0
LIFE, RENEWED = "8760h0m0s", "24h0m0s"
"""Of KubeVirt's certificates, a year: by default they change daily, and the programs here read copies in files. In Go's
own form, because virt-operator writes the object back."""
RESOURCES = {
    resource.kind: resource
    for resource in (
        CRDS,
        names.PRIORITY_CLASSES,
        SERVICE_ACCOUNTS,
        CLUSTER_ROLES,
        CLUSTER_ROLE_BINDINGS,
        ROLES,
        ROLE_BINDINGS,
    )
}


class Generated(Model):
    """What the generator prints."""

    version: str
    objects: tuple[dict[str, Any], ...]
    """In the order in which they are created."""
    webhooks: dict[str, dict[str, tuple[str, ...]]]
    """Kind and name of a webhook configuration: the Service that each of its webhooks calls."""
    api_services: tuple[str, ...]

    def placed(self) -> Iterator[tuple[Resource, dict[str, Any]]]:
        """Each object with its resource, without a status."""
        for each in self.objects:
            yield RESOURCES[each["kind"]], {key: value for key, value in each.items() if key != "status"}


def generated(upstream: Upstream) -> Generated:
    """Run the generator; ToolchainError when it fails or says something else."""
    program: Path = upstream.program(GENERATOR)
    command = [str(program), f"--namespace={names.NAMESPACE}"]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=GENERATOR_SECONDS)
        return Generated.model_validate_json(done.stdout)
    except subprocess.CalledProcessError as error:
        raise ToolchainError(f"{program}: {error.stderr.decode(errors='replace').strip()}") from error
    except (OSError, subprocess.TimeoutExpired, ValidationError) as error:
        raise ToolchainError(f"{program}: {error}") from error


def rates(component: str, qps: float, burst: int) -> dict[str, Any]:
    """A part of `spec.configuration`: the client limit of `controller` or `api`, which reads it while it runs."""
    bucket = {"qps": qps, "burst": burst}
    return {f"{component}Configuration": {"restClient": {"rateLimiter": {"tokenBucketRateLimiter": bucket}}}}


def kubevirt(places: Places, made: Generated) -> dict[str, Any]:
    """The KubeVirt object: one of each component, Services where our processes listen, the inventory's limits."""
    variables = places.seat.variables
    return {
        "apiVersion": names.KUBEVIRTS.api_version,
        "kind": names.KUBEVIRTS.kind,
        "metadata": {"name": names.CR, "namespace": names.NAMESPACE},
        "spec": {
            "imagePullPolicy": "IfNotPresent",
            "infra": {"replicas": 1},
            "certificateRotateStrategy": {
                "selfSigned": {
                    "ca": {"duration": LIFE, "renewBefore": RENEWED},
                    "server": {"duration": LIFE, "renewBefore": RENEWED},
                }
            },
            "configuration": {
                "commonInstancetypesDeployment": {"enabled": False},
                **rates("controller", variables.kubevirt_controller_qps, variables.kubevirt_controller_burst),
                **rates("api", variables.kubevirt_api_qps, variables.kubevirt_api_burst),
            },
            "customizeComponents": {"patches": list(_patches(places, made))},
        },
    }


def _patches(places: Places, made: Generated) -> Iterator[dict[str, str]]:
    """Services at the addresses of our processes, and their ports wherever a Service is named."""
    ports = {names.API_SERVICE: places.api, names.OPERATOR_SERVICE: names.OPERATOR_WEBHOOK_PORT}
    addresses = {names.API_SERVICE: places.api_address, names.OPERATOR_SERVICE: places.operator_address}
    for service, port in ports.items():
        yield _patch(
            "Service",
            service,
            {"op": "add", "path": "/spec/clusterIP", "value": addresses[service]},
            {"op": "replace", "path": "/spec/ports/0/port", "value": port},
            {"op": "replace", "path": "/spec/ports/0/targetPort", "value": port},
        )
    for kind, configurations in made.webhooks.items():
        for name, services in configurations.items():
            where = (f"/webhooks/{index}/clientConfig/service/port" for index in range(len(services)))
            yield _patch(
                kind,
                name,
                *({"op": "add", "path": path, "value": ports[s]} for path, s in zip(where, services, strict=True)),
            )
    for name in made.api_services:
        yield _patch("APIService", name, {"op": "add", "path": "/spec/service/port", "value": places.api})


def _patch(kind: str, name: str, *operations: Mapping[str, Any]) -> dict[str, str]:
    return {"resourceType": kind, "resourceName": name, "type": "json", "patch": json.dumps(operations)}
