"""When Kyverno works: its metrics answer, and a policy passes its webhook."""

from __future__ import annotations

from fleet.errors import KubeError
from fleet.install.readiness import metrics_answer, until_it_works
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import CLUSTER_ROLES, VALIDATING_WEBHOOKS
from fleet.platforms.kyverno import names
from fleet.platforms.kyverno.objects import Manifest
from fleet.platforms.kyverno.places import HOST, Places

RIGHTS_SECONDS = 60.0
PROBE = {
    "apiVersion": names.VALIDATING_POLICIES.api_version,
    "kind": names.VALIDATING_POLICIES.kind,
    "metadata": {"name": "fleet-probe"},
    "spec": {
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
            ]
        },
        "validations": [{"expression": "true", "message": "never"}],
    },
}
"""A policy that passes; it is never stored."""


async def rights(client: KubeClient, made: Manifest) -> None:
    """Wait until the roles that are put together from parts have rules."""
    left = [role["metadata"]["name"] for role in made.objects if "aggregationRule" in role]

    async def filled() -> bool:
        while left and (await client.get(CLUSTER_ROLES, left[-1])).get("rules"):
            left.pop()
        return not left

    await until(filled, RIGHTS_SECONDS, lambda: f"{client.cluster}: ClusterRole {left[-1]} has no rules")


async def works(places: Places, client: KubeClient) -> None:
    """Wait until each controller shows its metrics and the admission controller takes policies."""
    supervisor, wec = places.seat.machine.supervisor, places.seat.wec

    async def passes() -> bool:
        try:
            await client.get(VALIDATING_WEBHOOKS, names.POLICY_WEBHOOKS)
        except NotFound:  # without them every policy passes
            return False
        try:
            path = names.VALIDATING_POLICIES.path()
            await client.request("POST", path, params={"dryRun": "All"}, body=PROBE)
        except KubeError:
            return False
        return True

    await until_it_works(supervisor, names.program(names.ADMISSION, wec), passes, "no policy passes its webhooks")
    for component in names.CONTROLLERS:
        url = f"http://{HOST}:{places.metrics[component]}/metrics"

        async def answers(url: str = url) -> bool:
            return await metrics_answer(url)

        await until_it_works(supervisor, names.program(component, wec), answers, "its metrics do not answer")
