"""Policy sets in the cluster: put in, shown to act, taken out; what others left there is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.errors import UsageError
from fleet.experiments.admission_latency.pods import Pod
from fleet.experiments.admission_latency.sets import KINDS, MUTATED, PolicySet
from fleet.install.objects import remove
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.resources import PODS

ACT_SECONDS = 120.0
"""For a set to act, and for it to act no more; a second or two on an idle machine."""
BAD_REQUEST, SERVER_ERROR = 400, 500


async def refuse_others(client: KubeClient, ours: Mapping[str, str]) -> None:
    """UsageError naming a policy that is no run's: it would be in the baseline too."""
    for kind in KINDS:
        for found in await client.list_all(kind):
            labels = found["metadata"].get("labels") or {}
            if not ours.keys() <= labels.keys():
                raise UsageError(
                    f"{client.cluster} has a policy of its own, {kind.kind} {found['metadata']['name']}: the baseline"
                    " must have none; delete it, or use a fleet for this test alone"
                )


async def put_in(client: KubeClient, chosen: PolicySet, labels: Mapping[str, str]) -> None:
    """Create its objects, with those labels."""
    for resource, manifest in chosen.objects:
        metadata = {**manifest["metadata"], "labels": dict(labels)}
        await client.create(resource, {**manifest, "metadata": metadata}, retry=True)


async def take_out(client: KubeClient, ours: Mapping[str, str]) -> None:
    """Delete all policies that have the keys of our labels, also of runs that were cut off."""
    selector = ",".join(ours)
    for kind in KINDS:
        for found in await client.list_all(kind, label_selector=selector):
            await remove(client, kind, found["metadata"]["name"])


async def acts(client: KubeClient, chosen: PolicySet, good: Pod, others: PolicySet) -> None:
    """Wait until the set does what it is for, and no other set does.

    By dry runs, of which nothing stays: a pod that breaks a rule is refused with that rule's message, one rule after
    the other; a good pod is taken, with the label of the mutating policy or without. `others` has all rules that are
    enforced by some set. DeadlineError says which of it does not hold.
    """
    wrong = ""

    async def look() -> bool:
        nonlocal wrong
        wrong = await _wrong(client, chosen, good, others)
        return not wrong

    await until(look, ACT_SECONDS, lambda: f"{client.cluster}: the policy set {chosen.name} does not act: {wrong}")


async def _wrong(client: KubeClient, chosen: PolicySet, good: Pod, others: PolicySet) -> str:
    status, answer = await _try(client, good)
    if status >= BAD_REQUEST:
        return f"a good pod is refused: {answer}"
    labels = answer["metadata"].get("labels") or {}
    if (MUTATED in labels) != chosen.mutates:
        return f"a pod has {'no' if chosen.mutates else 'the'} label {MUTATED}"
    for rule in chosen.rules:
        status, answer = await _try(client, rule.broken(good))
        if not BAD_REQUEST <= status < SERVER_ERROR or rule.message not in str(answer.get("message")):
            return f"a pod that breaks {rule.name} is answered {status} {answer.get('message') or ''}".rstrip()
    for rule in others.rules:
        if rule not in chosen.rules:
            status, answer = await _try(client, rule.broken(good))
            if status >= BAD_REQUEST:
                return f"a pod that breaks {rule.name} is refused: {answer.get('message')}"
    return ""


async def _try(client: KubeClient, pod: Pod) -> tuple[int, dict[str, Any]]:
    path = PODS.path(namespace=pod["metadata"]["namespace"])
    answer = await client.request("POST", path, params={"dryRun": "All"}, body=pod, check=False)
    return answer.status, answer.json()
