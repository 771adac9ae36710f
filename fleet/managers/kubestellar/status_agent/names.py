"""Names that KubeStellar and the OCM work agent give a meaning to, and the name formula of a WorkStatus."""

from __future__ import annotations

from dataclasses import dataclass

FIELD_MANAGER = "ocm-status-addon"
SINGLETON_LABEL = "managed-by.kubestellar.io/singletonstatus"
KUBESTELLAR_PREFIXES = ("transport.kubestellar.io", "managed-by.kubestellar.io")
"""A ManifestWork without any label of these prefixes was not made by KubeStellar: its objects are not reported."""
WORK_GROUP = "work.open-cluster-management.io"
MAX_NAME = 253
"""Kubernetes' limit of an object name; ocm-status-addon cuts there."""


@dataclass(frozen=True, slots=True)
class Gvr:
    """Group, version and plural of one kind, as AppliedManifestWork.status.appliedResources says it."""

    group: str
    version: str
    resource: str

    @property
    def api_version(self) -> str:
        """`group/version`, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


_RBAC = "rbac.authorization.k8s.io"
SKIPPED = frozenset(
    {
        ("", "configmaps"),
        ("", "secrets"),
        ("", "serviceaccounts"),
        (_RBAC, "roles"),
        (_RBAC, "rolebindings"),
        (_RBAC, "clusterroles"),
        (_RBAC, "clusterrolebindings"),
    }
)
"""(group, plural) of the kinds that the agent never watches: they have no status, or a secret one."""


def work_status_name(amw_uid: str, gvr: Gvr, kind: str, namespace: str, name: str) -> str:
    """`<AMW uid>-<groupversion>-<kind>-<namespace>-<name>`, at most 253 characters.

    The group and version are joined without a slash, in lower case, as is the kind; the namespace of a cluster-scoped
    object is empty, which leaves two dashes.
    """
    group_version = (gvr.group + gvr.version).lower()
    return f"{amw_uid}-{group_version}-{kind.lower()}-{namespace}-{name}"[:MAX_NAME]
