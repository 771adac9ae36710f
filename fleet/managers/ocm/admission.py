"""Pure: which ManagedClusters to accept and which CertificateSigningRequests to approve, and how far a WEC has come."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from fleet.install.objects import contains
from fleet.kube.conditions import condition
from fleet.managers.ocm import names

SUBJECT = "system:open-cluster-management"


@dataclass(frozen=True)
class Member:
    """How far one WEC's ManagedCluster has come."""

    accepted: bool = False
    """hubAcceptsClient and all our labels are there."""
    joined: bool = False
    available: bool = False
    leaving: bool = False
    machine: str = ""
    """The machine that it was registered from; empty when that is not known."""

    @property
    def complete(self) -> bool:
        """Accepted, Joined and Available."""
        return self.accepted and self.joined and self.available and not self.leaving

    def missing(self) -> str:
        """What it still lacks, in OCM's words."""
        parts = [
            ("HubAcceptsClient", self.accepted),
            ("ManagedClusterJoined", self.joined),
            ("ManagedClusterConditionAvailable", self.available),
        ]
        return "it is being deleted" if self.leaving else ", ".join(name for name, done in parts if not done)


def member(cluster: Mapping[str, Any], wec: str) -> Member:
    """The state of a ManagedCluster."""
    return Member(
        accepted=contains(cluster, acceptance(wec)),
        joined=condition(cluster, "ManagedClusterJoined"),
        available=condition(cluster, "ManagedClusterConditionAvailable"),
        leaving=bool(cluster["metadata"].get("deletionTimestamp")),
        machine=registered_from(cluster),
    )


def registered_from(cluster: Mapping[str, Any]) -> str:
    """The machine that a ManagedCluster was registered from, as `acceptance` recorded it; empty when that is not
    known."""
    return str((cluster["metadata"].get("annotations") or {}).get(names.MACHINE_ANNOTATION, ""))


def acceptance(wec: str, machine: str = "") -> dict[str, Any]:
    """What we set on a WEC's ManagedCluster, as a merge patch: one write, so that policies are matched once."""
    metadata: dict[str, Any] = {"labels": names.wec_labels(wec)}
    if machine:
        metadata["annotations"] = {names.MACHINE_ANNOTATION: machine}
    return {"metadata": metadata, "spec": {"hubAcceptsClient": True}}


def approval() -> dict[str, Any]:
    """The merge patch of the approval subresource."""
    entry = {
        "type": "Approved",
        "status": "True",
        "reason": "FleetRegistration",
        "message": "a WEC of this fleet, requested by name",
    }
    return {"status": {"conditions": [entry]}}


def pending(csr: Mapping[str, Any]) -> bool:
    """Whether nobody has decided yet."""
    conditions = (csr.get("status") or {}).get("conditions") or ()
    return not any(c.get("type") in ("Approved", "Denied") for c in conditions)


def objection(csr: Mapping[str, Any], joining: Collection[str]) -> str | None:
    """Why this request must not be approved; None when it is the registration of one of the WECs that are joining.

    The label is only a hint that anybody may write: the subject inside of the request is what is signed, so it is read.
    """
    spec = csr["spec"]
    wec = (csr["metadata"].get("labels") or {}).get(names.CLUSTER_LABEL, "")
    if wec not in joining:
        return f"{wec or 'no cluster'} is not joining"
    if spec.get("signerName") != names.CLIENT_SIGNER:
        return f"signer {spec.get('signerName')}"
    if spec.get("username") != names.BOOTSTRAP_USER or names.BOOTSTRAP_GROUP not in (spec.get("groups") or ()):
        return f"requested by {spec.get('username')}"
    if not set(spec.get("usages") or ()) <= names.CLIENT_USAGES:
        return f"usages {sorted(spec['usages'])}"
    return _subject_objection(str(spec.get("request", "")), wec)


def _subject_objection(request: str, wec: str) -> str | None:
    try:
        parsed = x509.load_pem_x509_csr(base64.b64decode(request, validate=True))
    except (ValueError, binascii.Error):
        return "its request cannot be read"
    common = [str(a.value) for a in parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = {str(a.value) for a in parsed.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)}
    if len(common) != 1 or not common[0].startswith(f"{SUBJECT}:{wec}:"):
        return f"subject {common}"
    if not groups <= {f"{SUBJECT}:{wec}", f"{SUBJECT}:managed-clusters"}:
        return f"groups {sorted(groups)}"
    if len(list(parsed.extensions)) > 0:
        return "it requests extensions"
    return None
