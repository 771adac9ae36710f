"""A fake hub, its client, and what OCM and KubeStellar would put there."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fleet.kube.client import KubeClient
from fleet.kube.resources import CSRS, MANAGED_CLUSTERS
from fleet.managers.ocm import names
from fleet.testing.api_server.server import FakeApiServer


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer("its1") as made:
        yield made


@pytest.fixture
async def hub(server: FakeApiServer) -> AsyncIterator[KubeClient]:
    async with server.client(retry_seconds=0) as client:
        yield client


def request_pem(common_name: str, organizations: Sequence[str], *, dns: str = "") -> str:
    """A CertificateSigningRequest's `spec.request`."""
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, value) for value in organizations]
    subject.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if dns:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode("ascii")


def csr(wec: str, **spec: Any) -> dict[str, Any]:
    """What OCM's registration agent of `wec` sends; `spec` replaces fields."""
    organizations = [f"system:open-cluster-management:{wec}", "system:open-cluster-management:managed-clusters"]
    fields = {
        "signerName": names.CLIENT_SIGNER,
        "username": names.BOOTSTRAP_USER,
        "groups": [names.BOOTSTRAP_GROUP, "system:authenticated"],
        "usages": ["digital signature", "key encipherment", "client auth"],
        "request": request_pem(f"system:open-cluster-management:{wec}:{wec}", organizations),
    }
    return {
        "apiVersion": CSRS.api_version,
        "kind": CSRS.kind,
        "metadata": {"name": f"{wec}-abcde", "labels": {names.CLUSTER_LABEL: wec}},
        "spec": fields | spec,
    }


def managed_cluster(wec: str, **metadata: Any) -> dict[str, Any]:
    """A ManagedCluster as the agent makes it."""
    return {
        "apiVersion": MANAGED_CLUSTERS.api_version,
        "kind": MANAGED_CLUSTERS.kind,
        "metadata": {"name": wec, **metadata},
        "spec": {"hubAcceptsClient": False, "leaseDurationSeconds": 60},
    }


def conditions(*kinds: str) -> dict[str, Any]:
    """A status in which those conditions are True."""
    return {"conditions": [{"type": kind, "status": "True"} for kind in kinds]}
