"""Probes of what controllers bring about: tokens of service accounts, pods of a Deployment."""

from __future__ import annotations

from fleet.experiments.density.probes.probe import Planes, Probe, gone, until
from fleet.kube.resources import DEPLOYMENTS, PODS, SERVICE_ACCOUNTS

REPLICAS = 2


async def tokens(planes: Planes) -> str:
    """A namespace gets its service account, whose token another request is believed by, and not by the other."""
    client, namespace = planes.one, planes.namespace
    if not await until(lambda: _there(planes)):
        return "a new namespace gets no service account"
    path = SERVICE_ACCOUNTS.path("default", namespace, "token")
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    token = (await client.request("POST", path, body=request)).json()["status"]["token"]
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    answer = await client.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body=review)
    status = answer.json()["status"]
    if not status.get("authenticated"):
        return "its own token is not believed"
    wanted = f"system:serviceaccount:{namespace}:default"
    return "" if status["user"]["username"] == wanted else f"its token is {status['user']['username']}'s"


async def pods(planes: Planes) -> str:
    """A Deployment gets its pods: the deployment and replica set controllers make them."""
    labels = {"app": "probe"}
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "probe"},
        "spec": {
            "replicas": REPLICAS, "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "registry.invalid/none"}]},
            },
        },
    }  # fmt: skip
    await planes.one.create(DEPLOYMENTS, deployment, planes.namespace)

    async def made() -> bool:
        found = await planes.one.list(PODS, planes.namespace, label_selector="app=probe")
        return len(found["items"]) == REPLICAS

    return "" if await until(made) else "a Deployment gets no pods"


async def _there(planes: Planes) -> bool:
    return not await gone(planes.one, SERVICE_ACCOUNTS, "default", planes.namespace)


WORKLOADS = (
    Probe("service-account-tokens", "a namespace's account has a token that is believed", tokens),
    Probe("deployment-pods", "a Deployment gets its pods", pods),
)
