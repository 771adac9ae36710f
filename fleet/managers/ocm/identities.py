"""Who talks to the hub and with which rights: the bootstrap identity of OCM's agents, the registrar, and others."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509

from fleet.host.authority import Authority, Subject
from fleet.host.kubeconfig import render_kubeconfig
from fleet.kube.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, Resource
from fleet.managers.ocm import names

BOOTSTRAP_DAYS = 0.25
"""Six hours: longer than any bring-up of a fleet, far shorter than the fleet lives."""

_CSR = "certificates.k8s.io"
_CLUSTER = "cluster.open-cluster-management.io"
_RBAC = "rbac.authorization.k8s.io"
_WORK = "work.open-cluster-management.io"


@dataclass(frozen=True)
class HubEndpoint:
    """Where agents find the ITS: `server` as written into kubeconfigs (OCM names works after it), its CA, its name.

    `context` is also the cluster's name in the kubeconfig: OCM's agent registers again when it changes, so it
    carries the identity of the hub's data and not only its address.
    """

    server: str
    ca: Path
    context: str

    def ca_data(self) -> str:
        """The CA as kubeconfigs have it."""
        return base64.b64encode(self.ca.read_bytes()).decode("ascii")


@dataclass(frozen=True)
class Identity:
    """Who a program alongside the agents is to the hub; `name` is that of its certificate's files."""

    name: str
    user: str
    group: str


def bootstrap_objects() -> list[tuple[Resource, dict[str, Any]]]:
    """Exactly what OCM's registration agent does before it is accepted, for the bootstrap group."""
    rules = [
        {"apiGroups": [_CSR], "resources": ["certificatesigningrequests"], "verbs": ["create", "get", "list", "watch"]},
        {"apiGroups": [_CLUSTER], "resources": ["managedclusters"], "verbs": ["create", "get", "list", "watch"]},
    ]
    return role_objects("fleet:ocm-bootstrap", names.BOOTSTRAP_GROUP, rules)


def registrar_objects() -> list[tuple[Resource, dict[str, Any]]]:
    """What it takes to accept, approve and take out WECs from another machine than the hub's."""
    rules = [
        {
            "apiGroups": [_CLUSTER],
            "resources": ["managedclusters"],
            "verbs": ["delete", "get", "list", "patch", "update"],
        },
        {"apiGroups": [_CLUSTER], "resources": ["managedclusters/accept"], "verbs": ["update"]},
        {
            "apiGroups": [_CSR],
            "resources": ["certificatesigningrequests"],
            "verbs": ["deletecollection", "get", "list"],
        },
        {"apiGroups": [_CSR], "resources": ["certificatesigningrequests/approval"], "verbs": ["patch", "update"]},
        {
            "apiGroups": [_CSR],
            "resources": ["signers"],
            "resourceNames": [names.CLIENT_SIGNER],
            "verbs": ["approve"],
        },
        {"apiGroups": [_WORK], "resources": ["manifestworks"], "verbs": ["delete", "get", "list", "patch", "update"]},
        {"apiGroups": [_RBAC], "resources": ["rolebindings"], "verbs": ["get", "list", "patch", "update"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["delete", "get"]},
    ]
    return role_objects("fleet:registrar", names.REGISTRAR_GROUP, rules)


def bootstrap_kubeconfig(authority: Authority, directory: Path, endpoint: HubEndpoint) -> bytes:
    """A kubeconfig with a client certificate of the bootstrap user that lives some hours; issued again when due."""
    subject = Subject(names.BOOTSTRAP_USER, (names.BOOTSTRAP_GROUP,), days=BOOTSTRAP_DAYS)
    pair = authority.issue(directory, "ocm-bootstrap", subject)
    return render_kubeconfig(endpoint.server, endpoint.ca, pair.cert, pair.key, endpoint.context)


def identity_kubeconfig(authority: Authority, directory: Path, identity: Identity, endpoint: HubEndpoint) -> bytes:
    """A kubeconfig of that user."""
    pair = authority.issue(directory, identity.name, Subject(identity.user, (identity.group,)))
    return render_kubeconfig(endpoint.server, endpoint.ca, pair.cert, pair.key, endpoint.context)


def same_hub(kubeconfig: bytes, endpoint: HubEndpoint) -> bool:
    """Whether a kubeconfig points at that hub: OCM's agent compares the same four things."""
    try:
        document = yaml.safe_load(kubeconfig)
        context = next(c["context"] for c in document["contexts"] if c["name"] == document["current-context"])
        cluster = next(c["cluster"] for c in document["clusters"] if c["name"] == context["cluster"])
    except (yaml.YAMLError, KeyError, TypeError, StopIteration):
        return False
    found = (cluster.get("server"), cluster.get("certificate-authority-data"), context.get("cluster"))
    return found == (endpoint.server, endpoint.ca_data(), endpoint.context)


def server_of(kubeconfig: bytes) -> str:
    """The API server that a kubeconfig points at; empty when it cannot be read."""
    try:
        document = yaml.safe_load(kubeconfig)
        context = next(c["context"] for c in document["contexts"] if c["name"] == document["current-context"])
        return str(next(c["cluster"] for c in document["clusters"] if c["name"] == context["cluster"])["server"])
    except (yaml.YAMLError, KeyError, TypeError, StopIteration):
        return ""


def with_server(kubeconfig: bytes, server: str) -> bytes:
    """The same kubeconfig, pointing at another address of the same API server."""
    document = yaml.safe_load(kubeconfig)
    for entry in document["clusters"]:
        entry["cluster"]["server"] = server
    return yaml.safe_dump(document, sort_keys=False).encode()


def client_certificate(kubeconfig: bytes) -> x509.Certificate | None:
    """The client certificate embedded in a kubeconfig; None when there is none to be read."""
    try:
        user = yaml.safe_load(kubeconfig)["users"][0]["user"]
        return x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))
    except (yaml.YAMLError, KeyError, TypeError, IndexError, ValueError):
        return None


def embedded(kubeconfig: Path) -> bytes:
    """The kubeconfig with every file that it names embedded, for a Secret that is read elsewhere."""
    document = yaml.safe_load(kubeconfig.read_bytes())
    for group, kind, keys in (
        ("clusters", "cluster", ("certificate-authority",)),
        ("users", "user", ("client-certificate", "client-key")),
    ):
        for entry in document[group]:
            _embed(entry[kind], keys, kubeconfig.parent)
    return yaml.safe_dump(document, sort_keys=False).encode()


def _embed(fields: dict[str, Any], keys: tuple[str, ...], folder: Path) -> None:
    for key in keys:
        name = fields.pop(key, None)
        if name is not None:
            fields[f"{key}-data"] = base64.b64encode((folder / name).read_bytes()).decode("ascii")


def role_objects(name: str, group: str, rules: Sequence[Mapping[str, Any]]) -> list[tuple[Resource, dict[str, Any]]]:
    """A ClusterRole of that name, and its binding to the group."""
    metadata = {"name": name, "labels": {names.MANAGED_BY: names.OURS}}
    return [
        (
            CLUSTER_ROLES,
            {
                "apiVersion": f"{_RBAC}/v1",
                "kind": "ClusterRole",
                "metadata": metadata,
                "rules": [dict(r) for r in rules],
            },
        ),
        (
            CLUSTER_ROLE_BINDINGS,
            {
                "apiVersion": f"{_RBAC}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name},
                "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": group}],
            },
        ),
    ]
