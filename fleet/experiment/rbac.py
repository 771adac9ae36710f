"""Rights as the manifests that give them: for each space a ServiceAccount with exactly those, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from fleet.managers.rights import Right
from fleet.model.manager_record import Space

ACCOUNT = "fleet-testbed"
API = "rbac.authorization.k8s.io"


def manifests(rights: Sequence[Right], space: Space, namespace: str) -> str:
    """YAML documents for one cluster of that space; `namespace` holds the ServiceAccount."""
    rules = [_rule(one) for one in rights if one.space == space]
    return "---\n".join(str(yaml.safe_dump(one, sort_keys=False)) for one in _objects(rules, space, namespace))


def _rule(one: Right) -> dict[str, Any]:
    if one.url:
        return {"nonResourceURLs": [one.url], "verbs": list(one.verbs)}
    return {"apiGroups": [one.group], "resources": [one.resource], "verbs": list(one.verbs)}


def _objects(rules: Sequence[dict[str, Any]], space: Space, namespace: str) -> Iterator[dict[str, Any]]:
    name = f"{ACCOUNT}-{space}"
    account = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": namespace}}
    yield {"apiVersion": f"{API}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules)}
    yield {
        "apiVersion": f"{API}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": API, "kind": "ClusterRole", "name": name},
        "subjects": [account],
    }
